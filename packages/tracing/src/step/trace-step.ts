import type { Context } from '@opentelemetry/api';
import { isPastNestingLimit, runInContext, swapContextOnStack } from '../guards/context.ts';
import { followResult } from '../results/follow-result.ts';
import type { ResultObserver, ResultOptions } from '../results/result-observer.ts';
import type { Step } from './step-options.ts';

/** A step whose span was started, and which ends when its result does. */
export interface StartedStep extends Step, ResultObserver {
  /** The context in which the step's function runs. */
  readonly context: Context;
  readonly resultOptions: ResultOptions | undefined;
  /** A result that a stack overflow kept from reaching the step; delivered later by {@link deliverMissedResults}. */
  missedResult: MissedResult | undefined;
}

/** What the function of a step returned or threw. */
export interface MissedResult {
  readonly hasThrown: boolean;
  readonly value: unknown;
}

/** Runs `run` inside a step that ends exactly once, however `run` ends; result and error go through unchanged. */
export function traceStep<Result>(step: StartedStep, run: (step: Step) => Result): Result {
  let result: Result;
  // The same as runInContext, without a stack frame of its own, so that nested steps can recurse as deeply as possible.
  const isDeeplyNested = isPastNestingLimit();
  const previous = isDeeplyNested ? swapContextOnStack(step.context) : undefined;
  try {
    result = isDeeplyNested ? run(step) : runInContext(step.context, run, step);
  } catch (error) {
    try {
      step.threw(error);
    } catch {
      step.missedResult = { hasThrown: true, value: error };
      missedResults.exist = true;
    }
    throw error;
  } finally {
    if (isDeeplyNested) swapContextOnStack(previous);
  }
  try {
    return followResult(result, step, step.resultOptions);
  } catch {
    step.missedResult = { hasThrown: false, value: result };
    missedResults.exist = true;
    return result;
  }
}

const missedResults = { exist: false };

/** Delivers results that a stack overflow kept from their steps. Called whenever a later step or conversation ends. */
export function deliverMissedResults(openItems: () => Iterable<object>): void {
  if (!missedResults.exist) return;
  missedResults.exist = false;
  for (const item of openItems()) {
    const step = item as Partial<StartedStep>;
    const { missedResult } = step;
    if (missedResult === undefined) continue;
    step.missedResult = undefined;
    try {
      if (missedResult.hasThrown) step.threw?.(missedResult.value);
      else step.returned?.(missedResult.value);
    } catch {
      step.missedResult = missedResult;
      missedResults.exist = true;
    }
  }
}

import type { Context } from '@opentelemetry/api';
import { isDeep, runInContext, swapContextOnStack } from '../guards/context.ts';
import { followResult } from '../results/follow-result.ts';
import type { ResultObserver, ResultOptions } from '../results/result-observer.ts';
import type { Step } from './step-options.ts';

/** A step whose span was started and ends when it hears so. */
export interface StartedStep extends Step, ResultObserver {
  /** The context in which the step's function runs. */
  readonly context: Context;
  readonly resultOptions: ResultOptions | undefined;
  /** What the step could not be told, because the stack ended there; told by {@link hearTheUnheard}. */
  unheard: Unheard | undefined;
}

/** How the function of a step ended. */
export interface Unheard {
  readonly hasThrown: boolean;
  readonly value: unknown;
}

/** Runs `run` inside a step that ends exactly once, however `run` ends; result and error go through unchanged. */
export function traceStep<Result>(step: StartedStep, run: (step: Step) => Result): Result {
  let result: Result;
  // As runInContext does, but without a stack frame of its own: steps that call one another get as deep as they can.
  const isNoted = isDeep();
  const above = isNoted ? swapContextOnStack(step.context) : undefined;
  try {
    result = isNoted ? run(step) : runInContext(step.context, run, step);
  } catch (error) {
    try {
      step.threw(error);
    } catch {
      step.unheard = { hasThrown: true, value: error };
      endOfStack.wasMet = true;
    }
    throw error;
  } finally {
    if (isNoted) swapContextOnStack(above);
  }
  try {
    return followResult(result, step, step.resultOptions);
  } catch {
    step.unheard = { hasThrown: false, value: result };
    endOfStack.wasMet = true;
    return result;
  }
}

const endOfStack = { wasMet: false };

/** Tells steps what they could not be told where the stack ended; called where a step or conversation ends later on. */
export function hearTheUnheard(openItems: () => Iterable<object>): void {
  if (!endOfStack.wasMet) return;
  endOfStack.wasMet = false;
  for (const item of openItems()) {
    const step = item as Partial<StartedStep>;
    const { unheard } = step;
    if (unheard === undefined) continue;
    step.unheard = undefined;
    try {
      if (unheard.hasThrown) step.threw?.(unheard.value);
      else step.returned?.(unheard.value);
    } catch {
      step.unheard = unheard;
      endOfStack.wasMet = true;
    }
  }
}

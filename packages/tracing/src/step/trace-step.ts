import type { Context } from '@opentelemetry/api';
import { isDeep, runInContext, swapContextOnStack } from '../guards/context.ts';
import { settle } from './settle.ts';
import type { Settlement } from './settle.ts';
import type { Step } from './step-options.ts';

/** A step whose span was started and ends when it hears so. */
export interface StartedStep extends Step, Settlement {
  /** The context in which the step's function runs. */
  readonly context: Context;
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
      threw(step, error);
    } catch {
      // No room even for this: the step ends as abandoned when it has been open for too long.
    }
    throw error;
  } finally {
    if (isNoted) swapContextOnStack(above);
  }
  try {
    return settle(result, step);
  } catch {
    // Nothing here throws but the end of the stack.
    returnedLater(step, result);
    return result;
  }
}

/** The error that reaches the program is its own, also where the stack ends before the step heard of it. */
function threw(step: StartedStep, error: unknown): void {
  try {
    step.threw(error);
  } catch {
    queueMicrotask(() => step.threw(error));
  }
}

/** There is stack again when all calls on it have returned. */
function returnedLater(step: StartedStep, result: unknown): void {
  try {
    queueMicrotask(() => step.returned(result));
  } catch {
    // No room even for this: the step ends as abandoned when it has been open for too long.
  }
}

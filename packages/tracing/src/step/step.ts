import { findScope } from '../conversation/active-scope.ts';
import { activeContext } from '../safety/active-context.ts';
import { NO_STEP } from './no-step.ts';
import type { Step, StepOptions } from './step-options.ts';

/**
 * Runs one step of the active conversation, as {@link Conversation.step} does. Without an active conversation
 * (also: without a context manager, which `startTracing` and every Node SDK register) it calls `run` plainly.
 */
export function step<Result>(name: string, run: (step: Step) => Result): Result;
export function step<Result>(name: string, options: StepOptions, run: (step: Step) => Result): Result;
export function step<Result>(
  name: string,
  optionsOrRun: StepOptions | ((step: Step) => Result),
  runAfterOptions?: (step: Step) => Result,
): Result {
  const run = (runAfterOptions ?? optionsOrRun) as (step: Step) => Result;
  const conversation = findScope(activeContext())?.conversation;
  if (conversation === undefined) return run(NO_STEP);
  return runAfterOptions === undefined
    ? conversation.step(name, run)
    : conversation.step(name, optionsOrRun as StepOptions, run);
}

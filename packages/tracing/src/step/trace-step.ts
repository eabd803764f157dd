import type { TracedConversation } from '../conversation/traced-conversation.ts';
import { followResult } from '../results/follow-result.ts';
import { runInContext } from '../safety/run-in-context.ts';
import type { Step, StepOptions } from './step-options.ts';
import { StepSpan } from './step-span.ts';

/** Runs one step inside a span that ends exactly once, however the step ends; result and error go through unchanged. */
export function traceStep<Result>(
  conversation: TracedConversation,
  name: string,
  options: StepOptions | undefined,
  run: (step: Step) => Result,
): Result {
  const step = new StepSpan(conversation, name, options);
  let result: Result;
  try {
    result = runInContext(step.context, run, step);
  } catch (error) {
    step.threw(error);
    throw error;
  }
  return followResult(result, step, options);
}

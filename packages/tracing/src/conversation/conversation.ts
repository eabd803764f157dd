import type { Conversation, ConversationOptions } from './conversation-options.ts';
import { outcomeOfError } from '../step/outcome-of-error.ts';
import { settle } from '../step/settle.ts';
import { TracedConversation } from './traced-conversation.ts';

/**
 * Runs one conversation inside a trace of its own, with `run` as the active conversation's function.
 * Returns exactly what `run` returns and throws exactly what it throws. The conversation completes when `run` returns,
 * even when a step failed and was caught; its root span ends when the result is over and no step is open.
 */
export function conversation<Result>(run: (conversation: Conversation) => Result): Result;
export function conversation<Result>(options: ConversationOptions, run: (conversation: Conversation) => Result): Result;
export function conversation<Result>(
  optionsOrRun: ConversationOptions | ((conversation: Conversation) => Result),
  runAfterOptions?: (conversation: Conversation) => Result,
): Result {
  const run = (runAfterOptions ?? optionsOrRun) as (conversation: Conversation) => Result;
  const options = runAfterOptions === undefined ? {} : (optionsOrRun as ConversationOptions);
  const traced = new TracedConversation(options);
  let result: Result;
  try {
    result = traced.run(run);
  } catch (error) {
    traced.endWith({ told: outcomeOfError(error) });
    throw error;
  }
  return settle(result, {
    returned: () => traced.endWith({ told: { outcome: 'completed' } }),
    threw: (error) => traced.endWith({ told: outcomeOfError(error) }),
    waits() {},
    begins() {},
  });
}

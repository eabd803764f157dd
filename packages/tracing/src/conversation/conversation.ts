import type { Conversation, ConversationOptions } from './conversation-options.ts';
import { outcomeOfError } from '../step/outcome-of-error.ts';
import { followResult } from '../results/follow-result.ts';
import { ConversationResult } from './conversation-result.ts';
import { TracedConversation } from './traced-conversation.ts';

/**
 * Runs one conversation inside a trace of its own, with `run` as the active conversation's function.
 * Returns exactly what `run` returns and throws exactly what it throws. The conversation completes when `run` returns,
 * even when a step failed and was caught; its root span ends when the result is over and no step is open. A stream that
 * `run` returns is over when it was read: the conversation lasts as long as the program's client gets something from it.
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
  return followResult(result, new ConversationResult(traced), { recognize: false });
}

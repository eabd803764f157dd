import type { ConversationHandle, StartConversationOptions } from './conversation-options.ts';
import { TracedConversation } from './traced-conversation.ts';

/**
 * Starts a conversation that the program ends itself, for pipelines that do not fit into one function and for
 * conversations of the past. Its outcome is the worst among the last attempts of its outermost steps, unless `end` is told.
 */
export function startConversation(options: StartConversationOptions = {}): ConversationHandle {
  return new TracedConversation(options);
}

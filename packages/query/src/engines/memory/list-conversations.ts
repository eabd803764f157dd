import { isInWindow } from '../../model/window.ts';
import type { ConversationsQuestion } from '../../questions.ts';
import { compareBigint, compareNewestFirst, isConversation } from './trace.ts';
import type { ConversationTrace, Trace } from './trace.ts';

/** By what each order sorts, the largest first. */
const SIZE_BY_ORDER: Record<ConversationsQuestion['order'], (trace: ConversationTrace) => bigint> = {
  newest: ({ conversation }) => conversation.startTimeUnixNano,
  slowest: ({ conversation }) => conversation.completedNano,
  longest: ({ conversation }) => conversation.endTimeUnixNano - conversation.startTimeUnixNano,
};

/** `ConversationSource.conversations` over the traces that its filters choose. */
export function listConversations(traces: readonly Trace[], question: ConversationsQuestion): ConversationTrace[] {
  const { window, order, limit, completedAboveNano } = question;
  const sizeOf = SIZE_BY_ORDER[order];
  return traces
    .filter(isConversation)
    .filter(({ conversation }) => isInWindow(conversation.startTimeUnixNano, window))
    .filter(({ conversation }) => completedAboveNano === undefined || conversation.completedNano > completedAboveNano)
    .sort((a, b) => compareBigint(sizeOf(b), sizeOf(a)) || compareNewestFirst(a, b))
    .slice(0, limit);
}

import type { Answer, Conversation, ConversationsQuestion } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { coverConversations, coverWindow } from './coverage.ts';
import { findNewest } from './newest-conversations.ts';
import { numberConversations } from './numbered-conversations.ts';

/** `ConversationSource.conversations`. */
export async function listConversations(
  asking: Asking,
  question: ConversationsQuestion,
): Promise<Answer<Conversation[]>> {
  const { window, limit, order, completedAboveNano } = question;
  const traceIds =
    order === 'newest'
      ? (await findNewest(asking, window, limit, completedAboveNano)).map(({ traceId }) => traceId)
      : await findLargest(asking, question);
  const numbered = await numberConversations(asking, traceIds);
  const listed = traceIds.map((traceId) => numbered.get(traceId)!);
  return {
    data: listed.map(({ conversation }) => conversation),
    coverage:
      order === 'newest' ? coverConversations(listed.map(({ spans }) => spans)) : await coverWindow(asking, window),
  };
}

/** Trace ids of the largest conversations that start in the window, in order. */
async function findLargest(asking: Asking, question: ConversationsQuestion): Promise<bigint[]> {
  const rows = await asking.rows('largest-conversations', {
    values: {
      ...windowValues(question.window),
      by_completed: question.order === 'slowest',
      completed_above_ns: question.completedAboveNano ?? -1n,
      row_limit: BigInt(question.limit),
    },
  });
  return rows.map((row) => row['trace_id'] as bigint);
}

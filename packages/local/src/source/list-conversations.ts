import type { Answer, Conversation, ConversationsQuestion } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { coverConversations, coverWindow } from './coverage.ts';
import { findNewest } from './newest-conversations.ts';
import { numberConversations } from './numbered-conversations.ts';

/** `ConversationSource.conversations`. */
export function listConversations(asking: Asking, question: ConversationsQuestion): Promise<Answer<Conversation[]>> {
  return question.order === 'newest' ? listNewest(asking, question) : listLargest(asking, question);
}

async function listNewest(
  asking: Asking,
  { window, limit, completedAboveNano }: ConversationsQuestion,
): Promise<Answer<Conversation[]>> {
  const listed = await numberConversations(asking, await findNewest(asking, { window, limit, completedAboveNano }));
  return {
    data: listed.map(({ conversation }) => conversation),
    coverage: coverConversations(listed.map(({ spans }) => spans)),
  };
}

async function listLargest(
  asking: Asking,
  { window, limit, order, completedAboveNano = -1n }: ConversationsQuestion,
): Promise<Answer<Conversation[]>> {
  const rows = await asking.rows('largest-conversations', {
    values: {
      ...windowValues(window),
      by_completed: order === 'slowest',
      completed_above_ns: completedAboveNano,
      row_limit: BigInt(limit),
    },
  });
  const traceIds = rows.map((row) => row['trace_id'] as bigint | null).filter((traceId) => traceId !== null);
  const listed = await numberConversations(asking, traceIds);
  const { coverage } = await coverWindow(asking, window, Number(rows[0]!['seen']));
  return { data: listed.map(({ conversation }) => conversation), coverage };
}

import type { Answer, Conversation, ConversationsQuestion } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { coverConversations, coverWindow } from './coverage.ts';
import { findNewest } from './newest-conversations.ts';
import { type NumberedConversation, numberConversations } from './numbered-conversations.ts';

/** `ConversationSource.conversations`. */
export async function listConversations(
  asking: Asking,
  question: ConversationsQuestion,
): Promise<Answer<Conversation[]>> {
  const { window, limit, order, completedAboveNano } = question;
  if (order === 'newest') {
    const newest = await findNewest(
      asking,
      window,
      limit,
      ({ conversation }) => completedAboveNano === undefined || conversation.completedNano > completedAboveNano,
    );
    return { data: newest.map(conversationOf), coverage: coverConversations(newest.map(({ spans }) => spans)) };
  }
  const rows = await asking.rows('candidates-by-size', {
    values: {
      ...windowValues(window),
      by_completed: order === 'slowest',
      completed_above_ns: completedAboveNano ?? -1n,
      row_limit: BigInt(limit),
    },
  });
  const traceIds = rows.map((row) => row['trace_id'] as bigint);
  const numbered = await numberConversations(asking, traceIds);
  return {
    data: traceIds.map((traceId) => conversationOf(numbered.get(traceId)!)),
    coverage: await coverWindow(asking, window),
  };
}

function conversationOf({ conversation }: NumberedConversation): Conversation {
  return conversation;
}

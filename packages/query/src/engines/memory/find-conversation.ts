import { traceIdOf } from '@convotel/conventions';
import type { ConversationSpans } from '../../questions.ts';
import { compareBigint, compareNewestFirst, isConversation } from './trace.ts';
import type { Trace } from './trace.ts';

/** `ConversationSource.conversation` over traces in memory. */
export function findConversation(traces: readonly Trace[], conversationId: string): ConversationSpans {
  const conversations = traces.filter(isConversation);
  const traceOf = (traceId: string): Trace | undefined => conversations.find((trace) => trace.traceId === traceId);
  const carriers = conversations
    .filter(({ spans }) => spans.some((span) => span.conversationId === conversationId))
    .sort(compareNewestFirst);
  const found = traceOf(traceIdOf(conversationId)) ?? carriers[0] ?? traceOf(conversationId.toLowerCase());
  return {
    spans: [...(found?.spans ?? [])].sort(
      (a, b) => compareBigint(a.startTimeUnixNano, b.startTimeUnixNano) || (a.spanId < b.spanId ? -1 : 1),
    ),
    otherTraceIds: carriers.filter((trace) => trace !== found).map(({ traceId }) => traceId),
  };
}

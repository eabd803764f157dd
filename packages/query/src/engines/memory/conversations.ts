import { traceIdOf } from '@convotel/conventions';
import { compareBigint } from '../../model/order.ts';
import { isInWindow } from '../../model/window.ts';
import type {
  ConversationCount,
  ConversationCountsQuestion,
  ConversationsQuestion,
  ConversationSpans,
} from '../../questions.ts';
import { foldIntoHours } from '../../time/fold-into-hours.ts';
import { compareNewestFirst, isConversation } from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

const QUARTER_HOUR_NANO = 900_000_000_000n;

/** By what each order sorts, the largest first. */
const SIZE_BY_ORDER: Record<ConversationsQuestion['order'], (trace: ConversationTrace) => bigint> = {
  newest: ({ conversation }) => conversation.startTimeUnixNano,
  slowest: ({ conversation }) => conversation.completedNano,
  longest: ({ conversation }) => conversation.endTimeUnixNano - conversation.startTimeUnixNano,
};

/** Answers the question `conversation`. */
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

/** Answers the question `conversations`, over the traces that its filters choose. */
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

/** Answers the question `conversation-counts`, over the traces that its filters choose. */
export function countConversations(
  traces: readonly Trace[],
  { window, by, timeZone }: ConversationCountsQuestion,
): ConversationCount[] {
  const countsByQuarterHour = new Map<bigint, number>();
  for (const { conversation } of traces.filter(isConversation)) {
    const start = conversation.startTimeUnixNano;
    if (!isInWindow(start, window)) continue;
    // Rounds down before 1970 too, where `%` is negative.
    const quarterHour = start - (((start % QUARTER_HOUR_NANO) + QUARTER_HOUR_NANO) % QUARTER_HOUR_NANO);
    countsByQuarterHour.set(quarterHour, (countsByQuarterHour.get(quarterHour) ?? 0) + 1);
  }
  const quarterHours = [...countsByQuarterHour].map(([startUnixNano, conversations]) => ({
    startUnixNano,
    conversations,
  }));
  return foldIntoHours(quarterHours, by, timeZone);
}

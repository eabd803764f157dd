import { traceIdOf } from '@convotel/conventions';
import type { ConversationRecord } from '../../model/conversation.ts';
import { compareBigint } from '../../model/order.ts';
import { compareByStart } from '../../model/retries.ts';
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

/** What each order measures, in nanoseconds; undefined for a conversation that it leaves out. */
const SIZE_BY_ORDER: Record<ConversationsQuestion['order'], (conversation: ConversationRecord) => bigint | undefined> =
  {
    newest: durationNanoOf,
    longest: durationNanoOf,
    slowest: (conversation) => (conversation.outcome === 'open' ? undefined : durationNanoOf(conversation)),
    'slowest-response': ({ responseMs }) =>
      responseMs === undefined ? undefined : BigInt(Math.round(responseMs * 1e6)),
  };

function durationNanoOf({ startTimeUnixNano, endTimeUnixNano }: ConversationRecord): bigint {
  return endTimeUnixNano - startTimeUnixNano;
}

/** Answers the question `conversation`. */
export function findConversation(traces: readonly Trace[], conversationId: string): ConversationSpans {
  const conversations = traces.filter(isConversation);
  const traceOf = (traceId: string): Trace | undefined => conversations.find((trace) => trace.traceId === traceId);
  const carriers = conversations
    .filter(({ spans }) => spans.some((span) => span.conversationId === conversationId))
    .sort(compareNewestFirst);
  const found = traceOf(traceIdOf(conversationId)) ?? carriers[0] ?? traceOf(conversationId.toLowerCase());
  return {
    spans: [...(found?.spans ?? [])].sort(compareByStart),
    otherTraceIds: carriers.filter((trace) => trace !== found).map(({ traceId }) => traceId),
  };
}

/** Answers the question `conversations`, over the traces that its filters choose. */
export function listConversations(traces: readonly Trace[], question: ConversationsQuestion): ConversationTrace[] {
  const { window, order, limit, aboveNano = -1n } = question;
  const fitting: { trace: ConversationTrace; sizeNano: bigint }[] = [];
  for (const trace of traces.filter(isConversation)) {
    const sizeNano = SIZE_BY_ORDER[order](trace.conversation);
    if (!isInWindow(trace.conversation.startTimeUnixNano, window)) continue;
    if (sizeNano !== undefined && sizeNano > aboveNano) fitting.push({ trace, sizeNano });
  }
  const isBySize = order !== 'newest';
  return fitting
    .sort((a, b) => (isBySize ? compareBigint(b.sizeNano, a.sizeNano) : 0) || compareNewestFirst(a.trace, b.trace))
    .slice(0, limit)
    .map(({ trace }) => trace);
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

import { isInWindow } from '../../model/window.ts';
import { foldIntoHours } from '../../time/fold-into-hours.ts';
import type { ConversationCount, ConversationCountsQuestion } from '../../questions.ts';
import { isConversation } from './trace.ts';
import type { Trace } from './trace.ts';

const QUARTER_HOUR_NANO = 900_000_000_000n;

/** `ConversationSource.conversationCounts` over the traces that its filters choose. */
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

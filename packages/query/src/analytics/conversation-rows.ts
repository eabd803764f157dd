import type { ConversationRow, SlowConversationRow } from '../answers/data.ts';
import type { ConversationRecord } from '../model/conversation.ts';
import { formatInstant } from '../time/format-instant.ts';
import { millisecondsOf } from './milliseconds.ts';

/** The row of `recent` and `longest` for one conversation. */
export function conversationRow(conversation: ConversationRecord): ConversationRow {
  const { conversationId, traceId, startTimeUnixNano, endTimeUnixNano, totalNano, stepCount, outcome } = conversation;
  return {
    conversationId,
    traceId,
    startTime: formatInstant(startTimeUnixNano),
    endTime: formatInstant(endTimeUnixNano),
    totalMs: millisecondsOf(totalNano),
    wallMs: millisecondsOf(endTimeUnixNano - startTimeUnixNano),
    stepCount,
    outcome,
  };
}

/** The row of `slow` for one conversation. */
export function slowConversationRow(conversation: ConversationRecord): SlowConversationRow {
  return { ...conversationRow(conversation), completedMs: millisecondsOf(conversation.completedNano) };
}

/** Completed outermost milliseconds by step, over all of `conversations`. */
export function completedMsByStep(conversations: readonly ConversationRecord[]): Record<string, number> {
  const nanoByStep = new Map<string, bigint>();
  for (const conversation of conversations) {
    for (const [step, nano] of Object.entries(conversation.completedNanoByStep)) {
      nanoByStep.set(step, (nanoByStep.get(step) ?? 0n) + nano);
    }
  }
  return Object.fromEntries([...nanoByStep].map(([step, nano]) => [step, millisecondsOf(nano)]));
}

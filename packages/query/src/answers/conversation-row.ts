import { millisecondsOf } from '../model/numbers.ts';
import type { ConversationOutcome, ConversationRecord } from '../model/conversation.ts';
import { formatInstant } from '../time/instant.ts';

/** A row of `recent` and `longest`. */
export interface ConversationRow {
  conversationId: string;
  traceId: string;
  startTime: string;
  endTime: string;
  /** Sum of the outermost steps' durations. */
  totalMs: number;
  /** End − start. */
  wallMs: number;
  stepCount: number;
  outcome: ConversationOutcome;
}

/** One conversation as a row. */
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

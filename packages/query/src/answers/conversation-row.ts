import { millisecondsOf } from '../model/numbers.ts';
import type { ConversationOutcome, ConversationRecord } from '../model/conversation.ts';
import { formatInstant } from '../time/instant.ts';

/** A row of `recent` and `longest`. */
export interface ConversationRow {
  conversationId: string;
  traceId: string;
  sessionId?: string;
  workflow?: string;
  startTime: string;
  endTime: string;
  /** End − start, by the clock. */
  durationMs: number;
  /** Sum of the outermost steps' durations; more than `durationMs` where steps overlap. */
  stepSumMs: number;
  /** Response latency: from the end of the user's input to the first output that the user perceives. */
  responseMs?: number;
  stepCount: number;
  outcome: ConversationOutcome;
  /** Where the conversation is a failure: the last outermost step that failed and was not retried. */
  failedStep?: string;
}

/** One conversation as a row. */
export function conversationRow(conversation: ConversationRecord): ConversationRow {
  const { conversationId, traceId, sessionId, workflow, startTimeUnixNano, endTimeUnixNano } = conversation;
  const { stepSumNano, responseMs, stepCount, outcome, failedStep } = conversation;
  return {
    conversationId,
    traceId,
    ...(sessionId !== undefined && { sessionId }),
    ...(workflow !== undefined && { workflow }),
    startTime: formatInstant(startTimeUnixNano),
    endTime: formatInstant(endTimeUnixNano),
    durationMs: millisecondsOf(endTimeUnixNano - startTimeUnixNano),
    stepSumMs: millisecondsOf(stepSumNano),
    ...(responseMs !== undefined && { responseMs }),
    stepCount,
    outcome,
    ...(failedStep !== undefined && { failedStep }),
  };
}

import { createHash } from 'node:crypto';
import { conversationIdsOf } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';

/** One step of a conversation in a test: what it says beyond its name, times and outcome is absent. */
export interface RecordedStep extends Partial<SpanRecord> {
  step: string;
  /** From the conversation's start. */
  offsetMs: number;
  durationMs: number;
}

/** One conversation in a test. */
export interface RecordedConversation {
  conversationId: string;
  /** RFC 3339. */
  startTime: string;
  /** `open` leaves the root out. */
  outcome?: Outcome | 'open';
  steps: readonly RecordedStep[];
  traceId?: string;
  serviceName?: string;
}

/** The spans of a conversation as a source reads them. */
export function recordConversation(conversation: RecordedConversation): SpanRecord[] {
  const { conversationId, startTime, outcome = 'completed', steps, serviceName } = conversation;
  const ids = conversationIdsOf(conversationId);
  const traceId = conversation.traceId ?? ids.traceId;
  const start = parseInstant(startTime);
  const shared = {
    traceId,
    conversationId,
    isRecovered: false,
    depth: 0,
    ...(serviceName === undefined ? {} : { serviceName }),
  };
  const stepSpans = steps.map(({ step, offsetMs, durationMs, ...rest }, index): SpanRecord => ({
    ...shared,
    spanId: createHash('sha256').update(`${traceId} ${index}`).digest('hex').slice(0, 16),
    parentSpanId: ids.rootSpanId,
    name: step,
    step,
    role: 'step',
    startTimeUnixNano: start + nano(offsetMs),
    durationNano: nano(durationMs),
    outcome: 'completed',
    ...rest,
  }));
  if (outcome === 'open') return stepSpans;
  const endMs = Math.max(0, ...steps.map(({ offsetMs, durationMs }) => offsetMs + durationMs));
  const root: SpanRecord = {
    ...shared,
    spanId: ids.rootSpanId,
    name: 'conversation',
    role: 'root',
    startTimeUnixNano: start,
    durationNano: nano(endMs),
    outcome,
  };
  return [...stepSpans, root];
}

/** The steps one after the other, from the conversation's start on. */
export function inSequence(
  steps: readonly (Partial<SpanRecord> & { step: string; durationMs: number })[],
): RecordedStep[] {
  let offsetMs = 0;
  return steps.map((step) => {
    const placed = { ...step, offsetMs };
    offsetMs += step.durationMs;
    return placed;
  });
}

function nano(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6));
}

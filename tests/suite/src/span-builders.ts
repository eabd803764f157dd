import { traceIdOf } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';

const NANO_PER_MS = 1_000_000n;

/** What a test says about a span; the rest is as on a completed step of conversation `id`. */
export interface SpanFacts extends Partial<SpanRecord> {
  /** The conversation id. */
  id?: string;
  /** RFC 3339. */
  start: string;
  ms: number;
}

let spansBuilt = 0;

/** A completed outermost step. */
export function stepSpan(step: string, { id = 'one', start, ms, ...facts }: SpanFacts): SpanRecord {
  return {
    traceId: traceIdOf(id),
    spanId: nextSpanId(),
    name: step,
    startTimeUnixNano: parseInstant(start),
    durationNano: BigInt(ms) * NANO_PER_MS,
    role: 'step',
    step,
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
    conversationId: id,
    ...facts,
  };
}

/** The root of a completed conversation. */
export function rootSpan({ id = 'one', start, ms, ...facts }: SpanFacts): SpanRecord {
  const { step: _step, ...span } = stepSpan('conversation', { id, start, ms, role: 'root', ...facts });
  return span;
}

/** A span of another instrumentation, which is neither root nor step. */
export function foreignSpan({ id = 'one', start, ms, ...facts }: SpanFacts): SpanRecord {
  const { step: _step, conversationId: _id, ...span } = stepSpan('GET', { id, start, ms, role: 'other', ...facts });
  return span;
}

/** A span id that no other span of this process has. */
export function nextSpanId(): string {
  spansBuilt += 1;
  return spansBuilt.toString(16).padStart(16, '0');
}

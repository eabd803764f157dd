import { ATTRIBUTE, CONVERSATION_SPAN_NAME } from '@convotel/conventions';
import { diag, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Journal } from '../journal/journal.ts';
import type { SpanCounts } from '../journal/span-counts.ts';
import type { Delivery } from './delivery.ts';

/** Hands every sampled span to the journal: steps and conversations as they begin, all spans as they end. */
export class DeliveryProcessor implements SpanProcessor {
  readonly #journal: Journal;
  readonly #delivery: Delivery;
  readonly #counts: SpanCounts;

  constructor(journal: Journal, delivery: Delivery, counts: SpanCounts) {
    this.#journal = journal;
    this.#delivery = delivery;
    this.#counts = counts;
  }

  onStart(span: Span): void {
    if (!isSampled(span) || !isOurs(span)) return;
    try {
      this.#journal.started(span);
    } catch (error) {
      // The span itself is kept when it ends; only its recovery after a crash is lost.
      diag.debug('convotel: noting the start of a span', error);
    }
  }

  onEnd(span: ReadableSpan): void {
    if (!isSampled(span)) return;
    try {
      this.#journal.ended(span);
      this.#delivery.wake();
    } catch (error) {
      this.#counts.dropped(1, 'internal_error');
      diag.debug('convotel: keeping a span', error);
    }
  }

  /** Bounded, because whoever owns the provider waits for it. */
  forceFlush(): Promise<void> {
    return this.#delivery.flush(FLUSH_DEADLINE_MS);
  }

  shutdown(): Promise<void> {
    return this.#delivery.flush(FLUSH_DEADLINE_MS);
  }
}

const FLUSH_DEADLINE_MS = 5000;

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Whether a span that was left open is worth closing after a crash. */
function isOurs({ name, attributes }: ReadableSpan): boolean {
  return (
    attributes[ATTRIBUTE.stepName] !== undefined ||
    (name === CONVERSATION_SPAN_NAME && attributes[ATTRIBUTE.conversationId] !== undefined)
  );
}

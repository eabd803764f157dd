import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Delivery } from './delivery.ts';

/** Hands every finished, sampled span to a delivery. */
export class DeliveryProcessor implements SpanProcessor {
  readonly #delivery: Delivery;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) this.#delivery.take(span);
  }

  forceFlush(): Promise<void> {
    return this.#delivery.flush();
  }

  shutdown(): Promise<void> {
    return this.#delivery.flush();
  }
}

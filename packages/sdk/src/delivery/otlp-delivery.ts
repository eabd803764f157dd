import { getNumberFromEnv, ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { signalUrl } from '../settings/tracing-options.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { Connections } from './connections.ts';
import type { Delivery, DeliveryReport } from './delivery.ts';
import { describeExportError } from './describe-export-error.ts';
import { dropNonFiniteNumbers } from './drop-non-finite-numbers.ts';
import { ExportQueue } from './export-queue.ts';
import { OutageWarning } from './outage-warning.ts';

/** Room for a burst, and for what ends while one batch is being retried; the stock 2048 loses most of 10,000 at once. */
const MAX_WAITING_SPANS = 20_480;
const MAX_CONCURRENT_EXPORTS = 4;
/** The exporter keeps to its timeout but for its last attempt, which may begin just before. */
const TIMEOUT_SLACK_MS = 1000;

/** OpenTelemetry's batch processor and OTLP/HTTP exporter, with every span accounted for. */
export class OtlpDelivery implements Delivery, SpanExporter {
  readonly #connections: Connections;
  readonly #queue: ExportQueue<ReadableSpan[]>;
  readonly #batches: BatchSpanProcessor;
  readonly #outage: OutageWarning;
  #takenSpans = 0;
  #deliveredSpans = 0;
  #isStopped = false;

  constructor(options: TracingOptions, warn: (message: string) => void) {
    const url = signalUrl(options.endpoint, 'v1/traces');
    this.#connections = new Connections('TRACES', 'v1/traces', url);
    const { settings, agentFactory } = this.#connections;
    const exporter = new OTLPTraceExporter({
      ...(url !== undefined && { url }),
      ...(options.headers !== undefined && { headers: { ...options.headers } }),
      httpAgentOptions: agentFactory,
      // An export that the queue gave up may still be under way, so the exporter's own limit must never be reached.
      concurrencyLimit: Infinity,
    });
    this.#queue = new ExportQueue(exporter, {
      maxConcurrent: MAX_CONCURRENT_EXPORTS,
      timeoutMs: settings.timeoutMs + TIMEOUT_SLACK_MS,
    });
    this.#outage = new OutageWarning('spans', settings.url, warn);
    this.#batches = new BatchSpanProcessor(this, {
      maxQueueSize: getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE') ?? MAX_WAITING_SPANS,
    });
  }

  take(span: ReadableSpan): void {
    this.#takenSpans += 1;
    if (!this.#isStopped) this.#batches.onEnd(span);
  }

  async flush(): Promise<void> {
    try {
      await this.#batches.forceFlush();
    } catch {
      // Rejects with the first batch's failure, which export() has counted and warned about, while others are under way.
    }
    await this.#queue.idle();
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.stop();
    this.#connections.cut();
  }

  report(): DeliveryReport {
    const { problem } = this.#outage;
    return {
      deliveredSpans: this.#deliveredSpans,
      undeliveredSpans: this.#takenSpans - this.#deliveredSpans,
      ...(problem !== undefined && { problem }),
    };
  }

  /** The batch processor's way out. */
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    dropNonFiniteNumbers(spans);
    this.#queue.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) {
        this.#deliveredSpans += spans.length;
        this.#outage.worked();
      } else {
        this.#outage.failed(describeExportError(result.error));
      }
      done(result);
    });
  }

  async shutdown(): Promise<void> {
    this.stop();
  }
}

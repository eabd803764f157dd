import { diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { Connections } from '../delivery/connections.ts';
import { describeExportError } from '../delivery/describe-export-error.ts';
import { ExportQueue } from '../delivery/export-queue.ts';
import { OutageWarning } from '../delivery/outage-warning.ts';
import type { Environment } from '../settings/environment.ts';
import { signalUrl } from '../settings/tracing-options.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';

const TIMEOUT_SLACK_MS = 1000;

/** A meter provider that sends by OTLP/HTTP, and how to let go of it. */
export interface MetricDelivery {
  provider: MeterProvider;
  /** Collects and sends now. Never rejects, and may take long. */
  flush(): Promise<void>;
  /** The same for the last time. Never rejects, and may take long. */
  shutdown(): Promise<void>;
  /** Lets go of connections and timers at once. */
  stop(): void;
}

/** Sends metrics by OTLP/HTTP at the interval that the environment names. */
export function startMetricDelivery(
  options: TracingOptions,
  environment: Environment,
  resource: Resource,
  warn: (message: string) => void,
): MetricDelivery {
  const exporter = new WatchedMetricExporter(options, warn);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: environment.metricExportIntervalMs,
    exportTimeoutMillis: environment.metricExportTimeoutMs,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    provider,
    flush: () => settled(provider.forceFlush()),
    shutdown: () => settled(provider.shutdown()),
    stop: () => exporter.stop(),
  };
}

async function settled(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // The exporter has warned about what it could not send; this says where in the SDK that came out.
    diag.debug('convotel: sending metrics', error);
  }
}

/** The stock exporter, with a result for every export and one warning per outage. */
class WatchedMetricExporter implements PushMetricExporter {
  readonly #exporter: OTLPMetricExporter;
  readonly #connections: Connections;
  readonly #queue: ExportQueue<ResourceMetrics>;
  readonly #outage: OutageWarning;

  constructor(options: TracingOptions, warn: (message: string) => void) {
    const url = signalUrl(options.endpoint, 'v1/metrics');
    this.#connections = new Connections('METRICS', 'v1/metrics', url);
    const { settings, agentFactory } = this.#connections;
    this.#exporter = new OTLPMetricExporter({
      ...(url !== undefined && { url }),
      ...(options.headers !== undefined && { headers: { ...options.headers } }),
      httpAgentOptions: agentFactory,
    });
    this.#queue = new ExportQueue(this.#exporter, {
      maxConcurrent: 1,
      timeoutMs: settings.timeoutMs + TIMEOUT_SLACK_MS,
    });
    this.#outage = new OutageWarning('metrics', settings.url, warn);
  }

  readonly selectAggregation: NonNullable<PushMetricExporter['selectAggregation']> = (type) =>
    this.#exporter.selectAggregation(type);

  readonly selectAggregationTemporality: NonNullable<PushMetricExporter['selectAggregationTemporality']> = (type) =>
    this.#exporter.selectAggregationTemporality(type);

  export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    this.#queue.export(metrics, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.#outage.worked();
      else this.#outage.failed(describeExportError(result.error));
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#queue.idle();
  }

  async shutdown(): Promise<void> {
    this.stop();
  }

  stop(): void {
    this.#queue.stop();
    this.#connections.cut();
  }
}

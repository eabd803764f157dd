import { METRIC, METRIC_ATTRIBUTE } from '@convotel/conventions';
import { diag } from '@opentelemetry/api';
import type { Attributes, AttributeValue, Meter } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { AggregationTemporalityPreference, OTLPMetricExporterBase } from '@opentelemetry/exporter-metrics-otlp-http';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { displayUrl, describeFailure, OutageWarning } from '../delivery/failures.ts';
import { HttpTransport } from '../delivery/http-transport.ts';
import { otlpTarget } from '../delivery/otlp-target.ts';
import type { OtlpTarget } from '../delivery/otlp-target.ts';
import { sendableValue } from '../encoding/sendable.ts';
import type { TextPlace } from '../encoding/sendable.ts';
import { Redactor } from '../redaction/redactor.ts';
import type { Environment } from '../settings/environment.ts';
import { withinDeadline } from '../settings/timers.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import type { TelemetryReport } from '../tracing.ts';

/** A meter provider that sends by OTLP/HTTP. */
export interface MetricDelivery {
  provider: MeterProvider;
  /** Collects and sends now. Never rejects; has no deadline of its own. */
  flush(): Promise<void>;
  /** Collects and sends for the last time. If the address is a guess, it does not wait long after `spans` is done. */
  shutdown(spans: Promise<void>): Promise<void>;
  /** Releases connections and timers at once. */
  stop(): void;
}

const TEMPORALITY = {
  cumulative: AggregationTemporalityPreference.CUMULATIVE,
  delta: AggregationTemporalityPreference.DELTA,
  lowmemory: AggregationTemporalityPreference.LOWMEMORY,
} as const;
/** How long shutdown waits for a response from a guessed address. */
const GUESSED_ADDRESS_WAIT_MS = 250;

/**
 * Sends metrics by OTLP/HTTP at the interval set in the environment. Undefined if there is no address to send them to.
 */
export function startMetricDelivery(
  options: TracingOptions,
  environment: Environment,
  resource: Resource,
  warn: (message: string) => void,
): MetricDelivery | undefined {
  const target = otlpTarget('METRICS', options, environment.variables);
  if (target === undefined) return undefined;
  const delegate = new MetricDelegate(target, warn);
  const exporter = new OTLPMetricExporterBase(delegate, {
    temporalityPreference: TEMPORALITY[environment.temporality],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: environment.metricExportIntervalMs,
    exportTimeoutMillis: environment.metricExportTimeoutMs,
  });
  const provider = new MeterProvider({ resource: redacted(resource, options, warn), readers: [reader] });
  return {
    provider,
    flush: () => settled(provider.forceFlush()),
    shutdown: async (spans) => {
      const last = settled(provider.shutdown());
      if (!delegate.isGuess) return last;
      await spans;
      await withinDeadline(last, GUESSED_ADDRESS_WAIT_MS);
    },
    stop: () => delegate.stop(),
  };
}

/** Redacts the resource in the same way as that of spans. */
function redacted(resource: Resource, options: TracingOptions, warn: (message: string) => void): Resource {
  const { redact } = options;
  const redactor = new Redactor({
    captureContent: 'none',
    otherContent: 'drop',
    errorMessages: 'redacted',
    redact,
    warn,
  });
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(resource.attributes)) {
    const { action, key } = redactor.treatmentOf(name, 'attribute');
    if (action === 'omit') continue;
    const place: TextPlace = { part: 'attribute', key };
    const kept =
      action === 'as-is' ? value : sendableValue(value, (text, inside) => redactor.redact(text, place, inside));
    if (kept !== undefined) attributes[key] = kept as AttributeValue;
  }
  return resourceFromAttributes(attributes);
}

async function settled(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // The SDK rethrows an error that the exporter has already reported.
    diag.debug('convotel: sending metrics', error);
  }
}

/** Makes one attempt per export: metrics are cumulative, so the next export includes the same numbers. */
class MetricDelegate implements IOtlpExportDelegate<ResourceMetrics> {
  readonly #target: OtlpTarget;
  readonly #transport: HttpTransport;
  readonly #outage: OutageWarning;
  readonly #warn: (message: string) => void;
  readonly #running = new Set<Promise<void>>();
  /** True until the address has accepted metrics, if it was derived from the traces endpoint. */
  isGuess: boolean;
  #isGivenUp = false;

  constructor(target: OtlpTarget, warn: (message: string) => void) {
    this.#target = target;
    this.isGuess = target.isGuess;
    this.#warn = warn;
    this.#transport = new HttpTransport(
      target,
      target.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    );
    const meanwhile = (): string => 'the next export holds the newest values';
    this.#outage = new OutageWarning('metrics', displayUrl(target.url), meanwhile, warn);
  }

  export(metrics: ResourceMetrics, done: Parameters<IOtlpExportDelegate<ResourceMetrics>['export']>[1]): void {
    if (this.#isGivenUp) {
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    const sending = this.#send(metrics).then((error) =>
      done(error === undefined ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error }),
    );
    this.#running.add(sending);
    void sending.finally(() => this.#running.delete(sending));
  }

  async #send(metrics: ResourceMetrics): Promise<Error | undefined> {
    const { encoding, timeoutMs, url } = this.#target;
    const serializer = encoding === 'json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
    const body = serializer.serializeRequest(metrics);
    if (body === undefined) return new Error('the metrics cannot be encoded as OTLP');
    const response = await this.#transport.send(body, timeoutMs);
    if (response.status === 'success') {
      this.isGuess = false;
      this.#outage.worked();
      return undefined;
    }
    const error = response.error ?? new Error('unknown reason');
    if (this.isGuess) {
      this.#isGivenUp = true;
      this.#warn(
        `convotel: metrics are not sent: only an endpoint for traces is set, and ${displayUrl(url)} on its host does ` +
          `not accept metrics (${describeFailure(error)}). Set OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, or metrics: false.`,
      );
      return undefined;
    }
    this.#outage.failed(describeFailure(error));
    return error;
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#running);
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
  }

  setMetrics(): void {}

  stop(): void {
    this.#isGivenUp = true;
    this.#transport.shutdown();
  }
}

/** Instrumentation scope of convotel's own metrics. */
export const METER_NAME = '@convotel/sdk';

/** Reports the counts of `report()` as an observable metric. */
export function observeTelemetry(meter: Meter, report: () => TelemetryReport): void {
  meter
    .createObservableUpDownCounter(METRIC.telemetrySpans, {
      description: 'Spans of this process, by what became of them',
      unit: '{span}',
    })
    .addCallback((observed) => {
      const { finishedSpans, inheritedSpans, deliveredSpans, waitingSpans, droppedSpans } = report();
      observed.observe(finishedSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'finished' });
      observed.observe(inheritedSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'inherited' });
      observed.observe(deliveredSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'delivered' });
      observed.observe(waitingSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'waiting' });
      const dropped = Object.entries(droppedSpans);
      // An explicit 0, so that a dashboard shows 0 instead of "no data".
      if (dropped.length === 0) observed.observe(0, { [METRIC_ATTRIBUTE.telemetryState]: 'dropped' });
      for (const [reason, spans] of dropped) {
        observed.observe(spans, {
          [METRIC_ATTRIBUTE.telemetryState]: 'dropped',
          [METRIC_ATTRIBUTE.telemetryReason]: reason,
        });
      }
    });
}

import { ATTRIBUTE, processRegistry } from '@convotel/conventions';
import {
  context,
  createContextKey,
  createNoopMeter,
  metrics,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import type { Meter } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ConversationTracerProvider } from '../ids/conversation-tracer-provider.ts';
import { ConversationMetrics } from '../metrics/conversation-metrics.ts';
import { METER_NAME, observeTelemetry, startMetricDelivery } from '../metrics/metric-delivery.ts';
import type { MetricDelivery } from '../metrics/metric-delivery.ts';
import { buildResource } from '../settings/environment.ts';
import type { Environment } from '../settings/environment.ts';
import { setTimer, withinDeadline } from '../settings/timers.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { DEFAULT_DEADLINE_MS, emptyReport } from '../tracing.ts';
import type { DeadlineOptions, DeliveryReport, TelemetryReport, Tracing } from '../tracing.ts';
import { abandonOpen, watchProcessEnd } from './process-end.ts';
import { startSpanDelivery } from './span-delivery.ts';
import type { SpanDelivery } from './span-delivery.ts';

type Warn = (message: string) => void;

const METRIC_WARNING_DELAY_MS = 500;

/**
 * Creates a provider and registers it with OpenTelemetry or, if the option `provider` is `private`, only with convotel.
 * `whenStopped` is called after it is unregistered.
 */
export function ownTracing(
  options: TracingOptions,
  environment: Environment,
  warn: Warn,
  whenStopped: () => void,
): Tracing {
  const samplingRatio = options.samplingRatio ?? environment.samplingRatio;
  const resource = buildResource(options, environment, samplingRatio);
  const serviceName = String(resource.attributes[ATTRIBUTE.serviceName]);
  const delivery = environment.exportsTraces ? startSpanDelivery(options, environment, serviceName, warn) : undefined;
  const metricWarnings = new WarningsAfterSpans(() => delivery?.report() ?? emptyReport(), warn);
  const metricSetup = setUpMetrics(options, environment, resource, metricWarnings.warn);
  if (metricSetup !== undefined && delivery !== undefined) observeTelemetry(metricSetup.meter, delivery.report);
  const spanProcessors = [
    ...(metricSetup === undefined ? [] : [new ConversationMetrics(metricSetup.meter, metricSetup.options)]),
    ...(delivery === undefined ? [] : [delivery.processor]),
  ];
  const unregister = registerProvider(options, resource, warn, spanProcessors);
  return handleOf(options, delivery, metricSetup?.delivery, metricWarnings, () => {
    unregister();
    if (metricSetup?.isRegistered === true) metrics.disable();
    whenStopped();
  });
}

/** Holds back warnings about metrics, and drops them if spans cannot be delivered either. */
class WarningsAfterSpans {
  readonly #spans: () => TelemetryReport;
  readonly #warn: Warn;
  readonly #held: string[] = [];

  constructor(spans: () => TelemetryReport, warn: Warn) {
    this.#spans = spans;
    this.#warn = warn;
  }

  readonly warn: Warn = (message) => {
    this.#held.push(message);
    this.#releaseLater();
  };

  /** Waits until it is known whether spans can be delivered. */
  #releaseLater(): void {
    setTimer(() => {
      const { waitingSpans, problem } = this.#spans();
      if (waitingSpans > 0 && problem === undefined) this.#releaseLater();
      else this.release();
    }, METRIC_WARNING_DELAY_MS);
  }

  release(): void {
    const held = this.#held.splice(0);
    if (this.#spans().problem === undefined) for (const message of held) this.#warn(message);
  }
}

interface MetricSetup {
  meter: Meter;
  options: { durations: boolean };
  /** Absent if the program's own meter provider is used. */
  delivery?: MetricDelivery;
  isRegistered: boolean;
}

function setUpMetrics(
  options: TracingOptions,
  environment: Environment,
  resource: Resource,
  warn: Warn,
): MetricSetup | undefined {
  if (!(options.metrics ?? environment.exportsMetrics)) return undefined;
  const durations = { durations: options.durationMetrics ?? false };
  const isPrivate = options.provider === 'private';
  if (!isPrivate && hasMeterProvider()) {
    return { meter: metrics.getMeter(METER_NAME), options: durations, isRegistered: false };
  }
  const delivery = startMetricDelivery(options, environment, resource, warn);
  if (delivery === undefined) return undefined;
  if (!isPrivate) metrics.setGlobalMeterProvider(delivery.provider);
  return { meter: delivery.provider.getMeter(METER_NAME), options: durations, delivery, isRegistered: !isPrivate };
}

/** Whether the program has registered a meter provider. Without one, the API returns no-op meters. */
function hasMeterProvider(): boolean {
  return metrics.getMeter(METER_NAME).constructor !== createNoopMeter().constructor;
}

/** Returns a function that unregisters the provider. */
function registerProvider(
  options: TracingOptions,
  resource: Resource,
  warn: Warn,
  spanProcessors: SpanProcessor[],
): () => void {
  const { samplingRatio } = options;
  const sampler =
    samplingRatio === undefined
      ? {}
      : { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplingRatio) }) };
  const provider = new ConversationTracerProvider({ resource, spanProcessors, ...sampler }, warn);
  if (isOfOtherTool(provider)) {
    warn(
      "convotel: another tool has replaced OpenTelemetry's tracer provider with its own (Datadog does with " +
        'DD_TRACE_OTEL_ENABLED), so convotel gets no spans. Unset DD_TRACE_OTEL_ENABLED, and use ' +
        "startTracing({ provider: 'private' }).",
    );
  }
  if (options.provider === 'private') {
    const registry = processRegistry();
    registry.privateProvider = provider;
    return () => {
      if (registry.privateProvider === provider) registry.privateProvider = undefined;
    };
  }
  // `null` registers none, so that the program's own context manager stays.
  provider.register({
    ...(hasContextManager() && { contextManager: null }),
    ...(propagation.fields().length > 0 && { propagator: null }),
  });
  return () => trace.disable();
}

/** OpenTelemetry's provider has no such method since version 2; Datadog's has. */
function isOfOtherTool(provider: object): boolean {
  return 'addSpanProcessor' in provider;
}

/** Without a context manager, no span can be made active. */
function hasContextManager(): boolean {
  const key = createContextKey('convotel probe');
  return context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true);
}

function handleOf(
  options: TracingOptions,
  delivery: SpanDelivery | undefined,
  metricDelivery: MetricDelivery | undefined,
  metricWarnings: WarningsAfterSpans,
  whenStopped: () => void,
): Tracing {
  const report = (): TelemetryReport => delivery?.report() ?? emptyReport();
  const flushAll = async (deadlineMs: number, isLast: boolean): Promise<void> => {
    const spans = (isLast ? delivery?.flushAll(deadlineMs) : delivery?.flush(deadlineMs)) ?? Promise.resolve();
    const measurements = isLast ? metricDelivery?.shutdown(spans) : metricDelivery?.flush();
    await withinDeadline(Promise.all([spans, measurements]), deadlineMs);
    if (isLast) metricWarnings.release();
  };
  const stopWatching = watchProcessEnd(
    {
      abandonOpen,
      flush: (deadlineMs) => flushAll(deadlineMs, false),
      keptSpans: () => report().finishedSpans + report().inheritedSpans,
      waitingSpans: () => report().waitingSpans,
      close: () => {
        metricWarnings.release();
        delivery?.stop();
      },
    },
    options.shutdownOnSignals ?? true,
  );
  const shutDown = async (deadlineMs: number): Promise<DeliveryReport> => {
    abandonOpen('shutdown');
    await flushAll(deadlineMs, true);
    whenStopped();
    stopWatching();
    delivery?.stop();
    metricDelivery?.stop();
    return shortReport(report());
  };
  let shutdown: Promise<DeliveryReport> | undefined;
  const shutDownOnce = ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}): Promise<DeliveryReport> =>
    (shutdown ??= shutDown(deadlineMs));
  return {
    kind: options.provider === 'private' ? 'private' : 'own',
    flush: async ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}) => {
      await flushAll(deadlineMs, false);
      return shortReport(report());
    },
    shutdown: shutDownOnce,
    report,
    [Symbol.asyncDispose]: async () => void (await shutDownOnce()),
  };
}

function shortReport({ deliveredSpans, undeliveredSpans, problem }: TelemetryReport): DeliveryReport {
  return { deliveredSpans, undeliveredSpans, ...(problem !== undefined && { problem }) };
}

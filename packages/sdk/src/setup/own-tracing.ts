import {
  context,
  createContextKey,
  createNoopMeter,
  metrics,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';
import type { Meter } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { DeliveryProcessor } from '../delivery/delivery-processor.ts';
import { NO_DELIVERY } from '../delivery/delivery.ts';
import type { Delivery, DeliveryReport } from '../delivery/delivery.ts';
import { OtlpDelivery } from '../delivery/otlp-delivery.ts';
import { ConversationTracerProvider } from '../ids/conversation-tracer-provider.ts';
import { ConversationMetrics } from '../metrics/conversation-metrics.ts';
import { startMetricDelivery } from '../metrics/metric-delivery.ts';
import type { MetricDelivery } from '../metrics/metric-delivery.ts';
import { redactErrorMessage } from '../redaction/redact-error-message.ts';
import { RedactionProcessor } from '../redaction/redaction-processor.ts';
import type { MessageFilter } from '../redaction/redaction-processor.ts';
import { withinDeadline } from '../settings/within-deadline.ts';
import type { Environment } from '../settings/environment.ts';
import { buildResource } from '../settings/resource.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { DEFAULT_DEADLINE_MS } from '../tracing.ts';
import type { DeadlineOptions, Tracing } from '../tracing.ts';

type Warn = (message: string) => void;

const METER_NAME = '@convotel/sdk';

/** Registers a provider of our own with OpenTelemetry; `whenStopped` is called when it is gone again. */
export function ownTracing(
  options: TracingOptions,
  environment: Environment,
  warn: Warn,
  whenStopped: () => void,
): Tracing {
  const samplingRatio = options.samplingRatio ?? environment.samplingRatio;
  const resource = buildResource(options, samplingRatio);
  const delivery = environment.exportsTraces ? new OtlpDelivery(options, warn) : NO_DELIVERY;
  // While spans cannot be delivered either, one warning says it all.
  const warnOfMetrics: Warn = (message) => {
    if (delivery.report().problem === undefined) warn(message);
  };
  const metricSetup = setUpMetrics(options, environment, resource, warnOfMetrics);
  registerProvider(options, resource, warn, [
    new RedactionProcessor(messageFilterOf(options), warn),
    ...(metricSetup === undefined ? [] : [new ConversationMetrics(metricSetup.meter, metricSetup.options)]),
    new DeliveryProcessor(delivery),
  ]);
  return handleOf(delivery, metricSetup?.delivery, whenStopped);
}

function messageFilterOf({ errorMessages = 'redacted', redactErrorMessage: redact }: TracingOptions): MessageFilter {
  return errorMessages === 'none' ? () => undefined : (redact ?? redactErrorMessage);
}

interface MetricSetup {
  meter: Meter;
  options: { durations: boolean };
  /** Absent when the program's own meter provider is used. */
  delivery?: MetricDelivery;
}

function setUpMetrics(
  options: TracingOptions,
  environment: Environment,
  resource: Resource,
  warn: Warn,
): MetricSetup | undefined {
  if (!(options.metrics ?? environment.exportsMetrics)) return undefined;
  const durations = { durations: options.durationMetrics ?? false };
  if (hasMeterProvider()) return { meter: metrics.getMeter(METER_NAME), options: durations };
  const delivery = startMetricDelivery(options, environment, resource, warn);
  metrics.setGlobalMeterProvider(delivery.provider);
  return { meter: delivery.provider.getMeter(METER_NAME), options: durations, delivery };
}

/** Whether the program registered one before; the API has no question for it, but hands out do-nothing meters without. */
function hasMeterProvider(): boolean {
  return metrics.getMeter(METER_NAME).constructor !== createNoopMeter().constructor;
}

function registerProvider(
  options: TracingOptions,
  resource: Resource,
  warn: Warn,
  spanProcessors: SpanProcessor[],
): void {
  const { samplingRatio } = options;
  const sampler =
    samplingRatio === undefined
      ? {}
      : { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplingRatio) }) };
  const provider = new ConversationTracerProvider({ resource, spanProcessors, ...sampler }, warn);
  // What the program has already is kept: `null` registers none.
  provider.register({
    ...(hasContextManager() && { contextManager: null }),
    ...(propagation.fields().length > 0 && { propagator: null }),
  });
}

/** Without one, what is made active is not. */
function hasContextManager(): boolean {
  const key = createContextKey('convotel probe');
  return context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true);
}

function handleOf(delivery: Delivery, metricDelivery: MetricDelivery | undefined, whenStopped: () => void): Tracing {
  const shutDown = async (deadlineMs: number): Promise<DeliveryReport> => {
    processRegistry().abandonOpen?.('shutdown');
    await withinDeadline(Promise.all([delivery.flush(), metricDelivery?.shutdown()]), deadlineMs);
    trace.disable();
    if (metricDelivery !== undefined) metrics.disable();
    delivery.stop();
    metricDelivery?.stop();
    whenStopped();
    return delivery.report();
  };
  let shutdown: Promise<DeliveryReport> | undefined;
  return {
    kind: 'own',
    flush: async ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}) => {
      await withinDeadline(Promise.all([delivery.flush(), metricDelivery?.flush()]), deadlineMs);
      return delivery.report();
    },
    shutdown: ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}) => (shutdown ??= shutDown(deadlineMs)),
  };
}

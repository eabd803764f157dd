import { ATTRIBUTE } from '@convotel/conventions';
import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ConversationMetrics } from '../metrics/conversation-metrics.ts';
import { startMetricDelivery } from '../metrics/metric-delivery.ts';
import { METER_NAME, observeTelemetry } from '../metrics/telemetry-metrics.ts';
import { readEnvironment } from '../settings/environment.ts';
import { buildResource } from '../settings/resource.ts';
import { checkTracingOptions, usableOptions } from '../settings/tracing-options.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { withinDeadline } from '../settings/within-deadline.ts';
import { DEFAULT_DEADLINE_MS, emptyReport } from '../tracing.ts';
import type { TelemetryReport } from '../tracing.ts';
import { abandonOpen, watchProcessEnd } from './process-end.ts';
import { applyToProcess, warningsOf } from './process-settings.ts';
import { startSpanDelivery } from './span-delivery.ts';
import type { SpanDelivery } from './span-delivery.ts';

const ATTACHED = Symbol.for('convotel.attached-processor');

/** The processor that got a span last, else the one that was made last and not shut down, by whichever copy of this package. */
const inProcess = globalThis as { [ATTACHED]?: ConvotelSpanProcessor | undefined };

export function attachedProcessor(): ConvotelSpanProcessor | undefined {
  return inProcess[ATTACHED];
}

/**
 * For a tracer provider of one's own: redaction, journal, delivery and metrics as one span processor. Spans of other
 * libraries on that provider are delivered too. Its exporters see spans as they are; the copy that convotel sends is
 * redacted. Its shutdown ends what is open as `abandoned`. Takes the options of `startTracing`; the sampler, the resource of spans and the ids are the provider's.
 * @throws {@link TracingOptionsError} for an endpoint that cannot be meant.
 */
export function convotelSpanProcessor(options: TracingOptions = {}): SpanProcessor {
  checkTracingOptions(options);
  const processor = new ConvotelSpanProcessor(options);
  inProcess[ATTACHED] = processor;
  return processor;
}

/** What only a provider can do, which the program makes itself here. */
const PROVIDER_OPTIONS = ['samplingRatio', 'provider'] as const;

export class ConvotelSpanProcessor implements SpanProcessor {
  /** As given, where they could be used. */
  readonly options: TracingOptions;
  readonly #warn: (message: string) => void;
  #hasSeenSpan = false;
  readonly #delivery: SpanDelivery | undefined;
  readonly #metrics: ConversationMetrics | undefined;
  readonly #metricDelivery: ReturnType<typeof startMetricDelivery>;
  readonly #stopWatching: () => void;

  constructor(given: TracingOptions) {
    const warn = warningsOf(given);
    const options = usableOptions(given, warn);
    this.options = options;
    this.#warn = warn;
    for (const name of PROVIDER_OPTIONS) {
      if (options[name] === undefined) continue;
      warn(
        `convotel: convotelSpanProcessor() does not use the option ${name}: its provider decides that, so set it there`,
      );
    }
    const environment = readEnvironment();
    const serviceName = options.serviceName ?? environment.serviceName ?? 'unknown_service';
    applyToProcess(options, environment, warn, { isJoining: false, isRedacted: true });
    const isOff = environment.isDisabled || !environment.exportsTraces;
    this.#delivery = isOff ? undefined : startSpanDelivery(options, environment, serviceName, warn);
    if (!environment.isDisabled && (options.metrics ?? environment.exportsMetrics)) {
      this.#metricDelivery = startMetricDelivery(
        options,
        environment,
        buildResource(options, environment, undefined),
        warn,
      );
      const meter = this.#metricDelivery?.provider.getMeter(METER_NAME);
      if (meter !== undefined) {
        this.#metrics = new ConversationMetrics(meter, { durations: options.durationMetrics ?? false });
        if (this.#delivery !== undefined) observeTelemetry(meter, this.#delivery.report);
      }
    }
    this.#stopWatching = watchProcessEnd(
      {
        abandonOpen,
        flush: (deadlineMs) => this.#flush(deadlineMs),
        keptSpans: () => this.report().finishedSpans + this.report().inheritedSpans,
        waitingSpans: () => this.report().waitingSpans,
        close: () => this.#delivery?.stop(),
      },
      options.shutdownOnSignals ?? true,
    );
    for (const warning of new Set(environment.variables.warnings)) warn(`convotel: ${warning}`);
  }

  report(): TelemetryReport {
    return this.#delivery?.report() ?? emptyReport();
  }

  /** A reload may have made another one that gets no spans; and a name that spans do not carry is told about. */
  #sawSpan(span: Span): void {
    inProcess[ATTACHED] = this;
    if (this.#hasSeenSpan) return;
    this.#hasSeenSpan = true;
    const { serviceName } = this.options;
    const spanServiceName = (span as Partial<Span>).resource?.attributes[ATTRIBUTE.serviceName];
    if (serviceName === undefined || spanServiceName === serviceName) return;
    this.#warn(
      `convotel: the option serviceName is ${JSON.stringify(serviceName)}, but the spans of this provider carry its ` +
        `resource, which says ${JSON.stringify(spanServiceName)}. Set OTEL_SERVICE_NAME, or the provider's resource.`,
    );
  }

  onStart(span: Span, parent: Context): void {
    if (!this.#hasSeenSpan || inProcess[ATTACHED] !== this) this.#sawSpan(span);
    this.#metrics?.onStart(span, parent);
    this.#delivery?.processor.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    this.#metrics?.onEnd(span);
    this.#delivery?.processor.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#flush(DEFAULT_DEADLINE_MS);
  }

  async #flush(deadlineMs: number): Promise<void> {
    const spans = this.#delivery?.flush(deadlineMs) ?? Promise.resolve();
    await withinDeadline(Promise.all([spans, this.#metricDelivery?.flush()]), deadlineMs);
  }

  async shutdown(): Promise<void> {
    abandonOpen('shutdown');
    const spans = this.#delivery?.flushAll(DEFAULT_DEADLINE_MS) ?? Promise.resolve();
    await withinDeadline(Promise.all([spans, this.#metricDelivery?.shutdown(spans)]), DEFAULT_DEADLINE_MS);
    this.#stopWatching();
    this.#delivery?.stop();
    this.#metricDelivery?.stop();
    if (inProcess[ATTACHED] === this) inProcess[ATTACHED] = undefined;
  }
}

import { isDeepStrictEqual } from 'node:util';
import { ATTRIBUTE } from '@convotel/conventions';
import { ProxyTracerProvider, trace } from '@opentelemetry/api';
import type { Context, TracerProvider } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ConversationMetrics } from '../metrics/conversation-metrics.ts';
import { METER_NAME, observeTelemetry, startMetricDelivery } from '../metrics/metric-delivery.ts';
import { buildResource, readEnvironment } from '../settings/environment.ts';
import { withinDeadline } from '../settings/timers.ts';
import { checkTracingOptions, usableOptions } from '../settings/tracing-options.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { DEFAULT_DEADLINE_MS, emptyReport } from '../tracing.ts';
import type { DeadlineOptions, DeliveryReport, TelemetryReport, Tracing } from '../tracing.ts';
import { abandonOpen, watchProcessEnd } from './process-end.ts';
import { applyToProcess, PROCESS_OPTIONS, warningsOf } from './process-settings.ts';
import { startSpanDelivery } from './span-delivery.ts';
import type { SpanDelivery } from './span-delivery.ts';

const ATTACHED = Symbol.for('convotel.attached-processor');

/** The processor that last received a span, else the newest that is not shut down, of any copy of this package. */
const inProcess = globalThis as { [ATTACHED]?: ConvotelSpanProcessor | undefined };

export function attachedProcessor(): ConvotelSpanProcessor | undefined {
  return inProcess[ATTACHED];
}

/**
 * For your own tracer provider: redaction, journal, delivery and metrics as one span processor. Spans of other
 * libraries on that provider are delivered too. Its exporters see spans as they are; the copy that convotel sends is
 * redacted. Its shutdown ends what is open as `abandoned`. Takes the options of `startTracing`; the sampler, the
 * resource of spans and the ids are the provider's.
 * @throws {@link TracingOptionsError} for an endpoint that is not an http(s) address.
 */
export function convotelSpanProcessor(options: TracingOptions = {}): SpanProcessor {
  checkTracingOptions(options);
  const processor = new ConvotelSpanProcessor(options);
  inProcess[ATTACHED] = processor;
  return processor;
}

/** Options that only a provider could honour, and here the program makes the provider. */
const PROVIDER_OPTIONS = ['samplingRatio', 'provider'] as const;

export class ConvotelSpanProcessor implements SpanProcessor {
  /** The valid options, as given. */
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

  /**
   * A reload may have made another one that gets no spans; and a service name that spans do not carry causes a warning.
   */
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

/** What a provider of an SDK offers beyond the API. */
interface FlushableProvider extends TracerProvider {
  forceFlush?: () => Promise<void>;
}

/** The tracer provider that the program registered before, if any. */
export function findForeignProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return provider;
  const registered = provider.getDelegate();
  return registered === new ProxyTracerProvider().getDelegate() ? undefined : registered;
}

/** The program has added our processor to its provider, which has redaction, journal, delivery and metrics. */
function attachedTracing(found: ConvotelSpanProcessor, whenStopped: () => void): Tracing {
  // A hot reload makes another processor; the one that gets spans counts.
  let attached = found;
  const flush = async ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}): Promise<DeliveryReport> => {
    attached = attachedProcessor() ?? attached;
    await withinDeadline(attached.forceFlush(), deadlineMs);
    const { deliveredSpans, undeliveredSpans, problem } = attached.report();
    return { deliveredSpans, undeliveredSpans, ...(problem !== undefined && { problem }) };
  };
  const shutdown: Tracing['shutdown'] = async (options) => {
    abandonOpen('shutdown');
    const report = await flush(options);
    whenStopped();
    return report;
  };
  return {
    kind: 'joined',
    flush,
    shutdown,
    report: () => (attached = attachedProcessor() ?? attached).report(),
    [Symbol.asyncDispose]: async () => void (await shutdown()),
  };
}

/** The options that `startTracing` uses when it joins a provider. */
const USED_WHEN_JOINING: ReadonlySet<string> = new Set(['provider', ...PROCESS_OPTIONS]);

/**
 * `the options "endpoint" and "journal" are`: those that have no effect here, except those that the processor was given
 * too.
 */
function unusedOptions(options: TracingOptions, known: TracingOptions = {}): string {
  const names = (Object.keys(options) as (keyof TracingOptions)[])
    .filter(
      (name) =>
        options[name] !== undefined && !USED_WHEN_JOINING.has(name) && !isDeepStrictEqual(options[name], known[name]),
    )
    .map((name) => JSON.stringify(name));
  const last = names.pop();
  if (last === undefined) return '';
  return names.length === 0 ? `the option ${last} is` : `the options ${names.join(', ')} and ${last} are`;
}

/** Reuses the provider that the application registered; never shuts it down. `whenStopped` is called by `shutdown`. */
export function joinedTracing(
  provider: FlushableProvider,
  options: TracingOptions,
  warn: (message: string) => void,
  whenStopped: () => void,
): Tracing {
  const attached = attachedProcessor();
  const unused = unusedOptions(options, attached?.options);
  if (attached !== undefined) {
    if (unused !== '') {
      warn(
        `convotel: of startTracing, ${unused} not used, because a convotelSpanProcessor() that the program added ` +
          'delivers the spans. Give them to that processor instead.',
      );
    }
    return attachedTracing(attached, whenStopped);
  }
  warn(
    'convotel: OpenTelemetry is set up already, so that setup is used: its exporter, its resource, its sampler. ' +
      'Trace ids of conversations are random there (conversations are found by their conversation.id), texts are not ' +
      'redacted, spans are not kept in a journal, and convotel sends no metrics' +
      `${unused === '' ? '' : `; ${unused} not used`}. To have these, add convotelSpanProcessor() to that setup, ` +
      "or set convotel up beside it with startTracing({ provider: 'private' }).",
  );
  const flush = async ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}): Promise<DeliveryReport> => {
    const nothingCounted = { deliveredSpans: 0, undeliveredSpans: 0 };
    try {
      const isFlushed = await withinDeadline(Promise.resolve(provider.forceFlush?.()), deadlineMs);
      return isFlushed ? nothingCounted : { ...nothingCounted, problem: `not flushed within ${deadlineMs} ms` };
    } catch (error) {
      return { ...nothingCounted, problem: error instanceof Error ? error.message : String(error) };
    }
  };
  const shutdown: Tracing['shutdown'] = async (options) => {
    abandonOpen('shutdown');
    const report = await flush(options);
    whenStopped();
    return report;
  };
  return {
    kind: 'joined',
    flush,
    shutdown,
    report: emptyReport,
    [Symbol.asyncDispose]: async () => void (await shutdown()),
  };
}

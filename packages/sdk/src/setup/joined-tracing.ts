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

/** Across all copies of this package: the processor that last received a span, else the newest that is running. */
const inProcess = globalThis as { [ATTACHED]?: ConvotelSpanProcessor | undefined };

export function attachedProcessor(): ConvotelSpanProcessor | undefined {
  return inProcess[ATTACHED];
}

/**
 * Redaction, journal, delivery and metrics as a span processor for your own tracer provider. It also delivers the spans
 * of other libraries on that provider. The provider's other exporters see spans unredacted; only the copy that convotel
 * sends is redacted. Its shutdown ends open spans as `abandoned`. Takes the options of `startTracing`, but sampler, ids
 * and resource are those of the provider.
 * @throws {@link TracingOptionsError} if the endpoint is not an http(s) address.
 */
export function convotelSpanProcessor(options: TracingOptions = {}): SpanProcessor {
  checkTracingOptions(options);
  const processor = new ConvotelSpanProcessor(options);
  inProcess[ATTACHED] = processor;
  return processor;
}

/** Options that a processor cannot apply, because the program creates the provider. */
const PROVIDER_OPTIONS = ['samplingRatio', 'provider'] as const;

export class ConvotelSpanProcessor implements SpanProcessor {
  /** The valid ones of the given options. */
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
        `convotel: convotelSpanProcessor() does not use the option ${name}: its provider decides that, so set it on the provider`,
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

  /** Marks this processor as the one in use, and warns if the option `serviceName` differs from the spans' resource. */
  #sawSpan(span: Span): void {
    inProcess[ATTACHED] = this;
    if (this.#hasSeenSpan) return;
    this.#hasSeenSpan = true;
    const { serviceName } = this.options;
    const spanServiceName = (span as Partial<Span>).resource?.attributes[ATTRIBUTE.serviceName];
    if (serviceName === undefined || spanServiceName === serviceName) return;
    this.#warn(
      `convotel: the option serviceName is ${JSON.stringify(serviceName)}, but the resource of this provider's spans has ` +
        `${JSON.stringify(spanServiceName)}. Set OTEL_SERVICE_NAME, or the provider's resource.`,
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

/** SDK providers have this method; the API does not declare it. */
interface FlushableProvider extends TracerProvider {
  forceFlush?: () => Promise<void>;
}

/** The tracer provider that the program has registered, if any. */
export function findForeignProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return provider;
  const registered = provider.getDelegate();
  return registered === new ProxyTracerProvider().getDelegate() ? undefined : registered;
}

/** Used if the program has added a `convotelSpanProcessor` to its provider. */
function attachedTracing(found: ConvotelSpanProcessor, whenStopped: () => void): Tracing {
  // After a hot reload there may be several processors; use the one that receives spans.
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

/** Options that have an effect when a provider is joined. */
const USED_WHEN_JOINING: ReadonlySet<string> = new Set(['provider', ...PROCESS_OPTIONS]);

/**
 * Lists the options that have no effect here, as `the options "endpoint" and "journal" are`. Options that the processor
 * was also given are left out.
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

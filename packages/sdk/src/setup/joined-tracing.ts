import { isDeepStrictEqual } from 'node:util';
import { ProxyTracerProvider, trace } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/api';
import { withinDeadline } from '../settings/within-deadline.ts';
import { DEFAULT_DEADLINE_MS, emptyReport } from '../tracing.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import type { DeadlineOptions, DeliveryReport, Tracing } from '../tracing.ts';
import { abandonOpen } from './process-end.ts';
import { attachedProcessor } from './span-processor.ts';
import type { ConvotelSpanProcessor } from './span-processor.ts';

/** What a provider of an SDK can do, beyond the API's. */
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

/** The program has added our processor to its provider: redaction, journal, delivery and metrics are there. */
function attachedTracing(found: ConvotelSpanProcessor, whenStopped: () => void): Tracing {
  // A hot reload makes another one; the one that gets spans counts.
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

/** What `startTracing` takes from its options where it joins a provider. */
const USED_WHEN_JOINING: ReadonlySet<string> = new Set([
  'provider',
  'warn',
  'classifyError',
  'maxOpenMs',
  'captureContent',
] satisfies (keyof TracingOptions)[]);

/** `the options "endpoint" and "journal" are`: those that do nothing here, but for those that the processor has alike. */
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

import { ProxyTracerProvider, trace } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/api';
import { withinDeadline } from '../settings/within-deadline.ts';
import { DEFAULT_DEADLINE_MS, emptyReport } from '../tracing.ts';
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
function attachedTracing(attached: ConvotelSpanProcessor, whenStopped: () => void): Tracing {
  const flush = async ({ deadlineMs = DEFAULT_DEADLINE_MS }: DeadlineOptions = {}): Promise<DeliveryReport> => {
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
    report: () => attached.report(),
    [Symbol.asyncDispose]: async () => void (await shutdown()),
  };
}

/** Reuses the provider that the application registered; never shuts it down. `whenStopped` is called by `shutdown`. */
export function joinedTracing(
  provider: FlushableProvider,
  warn: (message: string) => void,
  whenStopped: () => void,
): Tracing {
  const attached = attachedProcessor();
  if (attached !== undefined) return attachedTracing(attached, whenStopped);
  warn(
    'convotel: OpenTelemetry is set up already, so that setup is used: its exporter, its resource, its sampler. ' +
      'Trace ids of conversations are random there (conversations are found by their conversation.id), texts are not ' +
      'redacted, spans are not kept in a journal, and convotel sends no metrics. Call startTracing first to have these, ' +
      'or add convotelSpanProcessor() to that setup.',
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

import { diag, DiagConsoleLogger } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/api';
import { readEnvironment } from './settings/environment.ts';
import type { Environment } from './settings/environment.ts';
import { checkTracingOptions, usableOptions } from './settings/tracing-options.ts';
import type { TracingOptions } from './settings/tracing-options.ts';
import { attachedProcessor, findForeignProvider, joinedTracing } from './setup/joined-tracing.ts';
import { ownTracing } from './setup/own-tracing.ts';
import { applyToProcess, warningsOf } from './setup/process-settings.ts';
import { emptyReport } from './tracing.ts';
import type { DeliveryReport, Tracing } from './tracing.ts';

const RUNNING = Symbol.for('convotel.running-tracing');

/** Shared by all copies of this package in the process. */
const inProcess = globalThis as { [RUNNING]?: Tracing | undefined };

/**
 * Sets up OpenTelemetry for this process: spans are stored in a journal and sent by OTLP/HTTP, trace ids are derived
 * from conversation ids, texts are redacted. Options take precedence over `OTEL_*` variables; each invalid value of
 * either causes one warning. A provider that the program has already registered is joined, not replaced, unless the
 * option `provider` is `private`. Called again before `shutdown`, it returns the first setup.
 * @throws {@link TracingOptionsError} for an invalid endpoint or sampling ratio, and nothing else.
 */
export function startTracing(options: TracingOptions = {}): Tracing {
  checkTracingOptions(options);
  const warn = warningsOf(options);
  if (inProcess[RUNNING] !== undefined) {
    warn('convotel: startTracing was called before; the first setup stays in effect, with its options');
    return inProcess[RUNNING];
  }
  const usable = usableOptions(options, warn);
  const environment = readEnvironment();
  if (environment.logLevel !== undefined) {
    diag.setLogger(new DiagConsoleLogger(), { logLevel: environment.logLevel, suppressOverrideMessage: true });
  }
  const foreign = usable.provider === 'private' ? undefined : findForeignProvider();
  const isJoining = attachedProcessor() !== undefined && foreign !== undefined;
  const isRedacted = isJoining || foreign === undefined;
  applyToProcess(usable, environment, warn, { isJoining, isRedacted });
  const tracing = environment.isDisabled ? disabledTracing() : setUp(usable, environment, foreign, warn);
  const warned = new Set<string>();
  for (const warning of environment.variables.warnings) {
    if (!warned.has(warning)) warn(`convotel: ${warning}`);
    warned.add(warning);
  }
  return tracing;
}

function setUp(
  options: TracingOptions,
  environment: Environment,
  foreign: TracerProvider | undefined,
  warn: (message: string) => void,
): Tracing {
  const whenStopped = (): void => {
    if (inProcess[RUNNING] === tracing) inProcess[RUNNING] = undefined;
  };
  if (options.provider === 'own' && foreign !== undefined) {
    warn(
      "convotel: the option provider is 'own', but the program has registered a tracer provider, which is joined " +
        "instead. Add convotelSpanProcessor() to it, or write 'private' for a provider of convotel's own beside it.",
    );
  }
  if (options.provider === 'private' && attachedProcessor() !== undefined) {
    warn(
      "convotel: the option provider is 'private', so the spans of conversations do not pass through the " +
        "convotelSpanProcessor() that the program added to its own provider. Remove that, or write 'join'.",
    );
  }
  if (options.provider === 'join' && foreign === undefined) {
    warn(
      "convotel: the option provider is 'join', but no tracer provider is registered, so one is made. Call startTracing " +
        'after the one that it should join.',
    );
  }
  const tracing =
    foreign === undefined
      ? ownTracing(options, environment, warn, whenStopped)
      : joinedTracing(foreign, options, warn, whenStopped);
  inProcess[RUNNING] = tracing;
  return tracing;
}

/** Used when `OTEL_SDK_DISABLED` is set. */
export function disabledTracing(): Tracing {
  const settled = async (): Promise<DeliveryReport> => ({ deliveredSpans: 0, undeliveredSpans: 0 });
  return {
    kind: 'disabled',
    flush: settled,
    shutdown: settled,
    report: emptyReport,
    [Symbol.asyncDispose]: async () => {},
  };
}

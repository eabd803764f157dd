import { processSettings } from '@convotel/conventions';
import type { Tracing } from './tracing.ts';
import { checkTracingOptions } from './settings/tracing-options.ts';
import type { TracingOptions } from './settings/tracing-options.ts';
import { readEnvironment } from './settings/environment.ts';
import { disabledTracing } from './setup/disabled-tracing.ts';
import { findForeignProvider, joinedTracing } from './setup/joined-tracing.ts';
import { ownTracing } from './setup/own-tracing.ts';

const RUNNING = Symbol.for('convotel.running-tracing');

/** What is set up in this process, by whichever copy of this package. */
const inProcess = globalThis as { [RUNNING]?: Tracing | undefined };

/**
 * Sets OpenTelemetry up for this process: spans and metrics leave by OTLP/HTTP, conversations get the ids that follow
 * from their names, error messages are redacted. Options win over `OTEL_*` variables. A provider that the program has
 * registered before is joined, not replaced. Called again before `shutdown`, it returns the first setup.
 * @throws {@link TracingOptionsError} for options that cannot be meant; nothing else, neither now nor later.
 */
export function startTracing(options: TracingOptions = {}): Tracing {
  checkTracingOptions(options);
  const warn = options.warn ?? ((message: string) => console.warn(message));
  if (inProcess[RUNNING] !== undefined) {
    warn('convotel: startTracing was called before; its first setup stays, with its options');
    return inProcess[RUNNING];
  }
  const environment = readEnvironment();
  for (const warning of environment.warnings) warn(`convotel: ${warning}`);
  if (options.captureContent !== undefined) processSettings().captureContent = options.captureContent;
  if (environment.isDisabled) return disabledTracing();

  const whenStopped = (): void => {
    if (inProcess[RUNNING] === tracing) inProcess[RUNNING] = undefined;
  };
  const foreign = findForeignProvider();
  const tracing =
    foreign === undefined
      ? ownTracing(options, environment, warn, whenStopped)
      : joinedTracing(foreign, warn, whenStopped);
  inProcess[RUNNING] = tracing;
  return tracing;
}

import { processRegistry } from '@convotel/conventions';
import { diag } from '@opentelemetry/api';
import { idReplacement } from '../ids/replaced-ids.ts';
import { CAPTURED_LENGTH, TRUNCATED_LENGTH } from '../redaction/redactor.ts';
import type { Environment } from '../settings/environment.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { captureContentOf } from './span-delivery.ts';

type Warn = (message: string) => void;

/** Options that {@link applyToProcess} uses, also when a provider is joined. */
export const PROCESS_OPTIONS = [
  'warn',
  'classifyError',
  'maxOpenMs',
  'captureContent',
  'replaceIds',
] as const satisfies readonly (keyof TracingOptions)[];

/** Sets the process-wide settings that the tracing package reads. Settings without an option keep their value. */
export function applyToProcess(
  options: TracingOptions,
  environment: Environment,
  warn: Warn,
  { isJoining, isRedacted }: { isJoining: boolean; isRedacted: boolean },
): void {
  const { settings, recorder } = processRegistry();
  const { classifyError, maxOpenMs } = options;
  if (!isJoining || classifyError !== undefined) settings.classifyError = classifyError;
  if (!isJoining || maxOpenMs !== undefined) settings.maxOpenMs = maxOpenMs;
  if (!isJoining || options.replaceIds !== undefined) settings.replaceId = idReplacement(options.replaceIds, warn);
  if (!isJoining || options.warn !== undefined || settings.warn === undefined) settings.warn = warn;
  const saysContent = options.captureContent !== undefined || environment.captureContent !== undefined;
  // Content capture enabled by an earlier setup must not apply to this one. A test that records conversations sets its
  // own.
  if (!saysContent && !isJoining && recorder === undefined) {
    settings.captureContent = undefined;
    settings.maxContentLength = undefined;
  }
  if (!saysContent || (isJoining && options.captureContent === undefined && settings.captureContent !== undefined)) {
    return;
  }
  const content = captureContentOf(options, environment);
  settings.captureContent = content !== 'none';
  // Leaves enough text for the redactor to recognise a secret across the truncation point.
  const length = isRedacted ? CAPTURED_LENGTH : TRUNCATED_LENGTH;
  settings.maxContentLength = content === 'truncated' ? length : undefined;
}

/** Returns a `warn` function that never throws. */
export function warningsOf({ warn }: TracingOptions): Warn {
  const print = typeof warn === 'function' ? warn : (message: string) => console.warn(message);
  return (message) => {
    try {
      print(message);
    } catch (error) {
      diag.warn(`${message} (the option warn threw)`, error);
    }
  };
}

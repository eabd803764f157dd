import { processRegistry } from '@convotel/conventions';
import { diag } from '@opentelemetry/api';
import { idReplacement } from '../ids/replaced-ids.ts';
import { SEEN_LENGTH, TRUNCATED_LENGTH } from '../redaction/redactor.ts';
import type { Environment } from '../settings/environment.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';
import { captureContentOf } from './span-delivery.ts';

type Warn = (message: string) => void;

/** The options that {@link applyToProcess} passes on, also when a provider is joined. */
export const PROCESS_OPTIONS = [
  'warn',
  'classifyError',
  'maxOpenMs',
  'captureContent',
  'replaceIds',
] as const satisfies readonly (keyof TracingOptions)[];

/** Settings of the process that the tracing package reads. An earlier setup keeps those that `options` do not set. */
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
  // Permissions of an earlier setup do not apply to this one; a test that records conversations has set its own.
  if (!saysContent && !isJoining && recorder === undefined) {
    settings.captureContent = undefined;
    settings.maxContentLength = undefined;
  }
  if (!saysContent || (isJoining && options.captureContent === undefined && settings.captureContent !== undefined)) {
    return;
  }
  const content = captureContentOf(options, environment);
  settings.captureContent = content !== 'none';
  // Texts are cut after redaction, so that a secret at the cut is seen whole.
  const length = isRedacted ? SEEN_LENGTH : TRUNCATED_LENGTH;
  settings.maxContentLength = content === 'truncated' ? length : undefined;
}

/** A warning must not reach the program as an exception, even if `warn` throws. */
export function warningsOf({ warn }: TracingOptions): Warn {
  const hear = typeof warn === 'function' ? warn : (message: string) => console.warn(message);
  return (message) => {
    try {
      hear(message);
    } catch (error) {
      diag.warn(`${message} (the option warn threw)`, error);
    }
  };
}

import { diag } from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';

/**
 * Reports a failure inside tracing itself to OpenTelemetry's diagnostics logger; `doing` says what was attempted.
 * Never throws, even if the diagnostics logger does.
 */
export function reportInternalError(doing: string, cause?: unknown): void {
  try {
    if (cause === undefined) diag.warn(`convotel: ${doing}`);
    else diag.warn(`convotel: ${doing} failed; the program continues without it`, cause);
  } catch {
    // The diagnostics logger itself threw; there is nowhere left to report to.
  }
}

/**
 * Warns the program's author about a mistake, once per process and `kind`: with the `warn` option of `startTracing`,
 * else with OpenTelemetry's diagnostics logger, else on standard error.
 */
export function warnOnce(kind: string, message: string): void {
  try {
    const { settings, warned } = processRegistry();
    if (warned.has(kind)) return;
    warned.add(kind);
    const text = `convotel: ${message}`;
    if (settings.warn !== undefined) settings.warn(text);
    else if (hasDiagnosticsLogger()) diag.warn(text);
    else console.warn(text);
  } catch (error) {
    reportInternalError('writing a warning', error);
  }
}

export function hasWarned(kind: string): boolean {
  return processRegistry().warned.has(kind);
}

/**
 * Without a logger `diag.warn` discards its message, and the API cannot be asked; this is the global state of its major
 * version 1.
 */
function hasDiagnosticsLogger(): boolean {
  const state = (globalThis as { [key: symbol]: { diag?: unknown } | undefined })[Symbol.for('opentelemetry.js.api.1')];
  return state?.diag !== undefined;
}

/** Where the program called `called`, such as `/app/bot.js:12:3`; undefined if the stack trace does not contain it. */
export function callSiteOf(called: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  const [, frame] = holder.stack?.split('\n') ?? [];
  return frame?.trim().replace(/^at /, '');
}

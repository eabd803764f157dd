import { diag } from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';

/**
 * Tells OpenTelemetry's diagnostics that tracing itself went wrong; `doing` says what was tried.
 * The program goes on: nothing is thrown, not even by a diagnostics logger that is broken too.
 */
export function reportTrouble(doing: string, cause?: unknown): void {
  try {
    if (cause === undefined) diag.warn(`convotel: ${doing}`);
    else diag.warn(`convotel: ${doing} failed; the program goes on without it`, cause);
  } catch {
    // The logger is the program's own and the last one to tell; there is nobody left to report to.
  }
}

/**
 * Tells the program's author about a mistake, once per process and `kind`: by the `warn` of `startTracing`, else by
 * OpenTelemetry's diagnostics logger, else on standard error.
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
    reportTrouble('giving a warning', error);
  }
}

/** Whether {@link warnOnce} has given the warning of this `kind`. */
export function hasWarned(kind: string): boolean {
  return processRegistry().warned.has(kind);
}

/** The API has no question for it; without a logger its `diag.warn` goes nowhere (global state of its major version 1). */
function hasDiagnosticsLogger(): boolean {
  const state = (globalThis as { [key: symbol]: { diag?: unknown } | undefined })[Symbol.for('opentelemetry.js.api.1')];
  return state?.diag !== undefined;
}

/** Where in the program's code `called` was called: `/app/bot.js:12:3`; undefined where the engine does not tell. */
export function placeOfCall(called: (...given: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  const [, frame] = holder.stack?.split('\n') ?? [];
  return frame?.trim().replace(/^at /, '');
}

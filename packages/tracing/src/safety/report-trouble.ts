import { diag } from '@opentelemetry/api';

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

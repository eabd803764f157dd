import type { HrTime } from '@opentelemetry/api';

/**
 * A time in OpenTelemetry's form (seconds and nanoseconds since the epoch), or undefined when `time` is none.
 * A plain number is not passed on: OpenTelemetry takes a small one for a reading of `performance.now()`.
 */
export function epochTimeOf(time: unknown): HrTime | undefined {
  const epochMs = time instanceof Date ? time.getTime() : time;
  if (typeof epochMs !== 'number' || !Number.isFinite(epochMs) || epochMs < 0) return undefined;
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}

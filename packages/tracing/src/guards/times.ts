import type { HrTime } from '@opentelemetry/api';
import { warnOnce } from './warnings.ts';

/** 2000-01-01 and 2200-01-01; a time outside this range is taken for a mistake. */
const EARLIEST_EPOCH_MS = 946_684_800_000;
const LATEST_EPOCH_MS = 7_258_118_400_000;

/**
 * Milliseconds since the epoch; undefined, with one warning, if `time` is implausible. `what` names it in the warning,
 * such as `startTime of the step "stt"`. Small numbers are never passed on, because OpenTelemetry would interpret them
 * as readings of `performance.now()`.
 */
export function epochMsFrom(time: unknown, what: string): number | undefined {
  const epochMs = time instanceof Date || isForeignDate(time) ? time.getTime() : time;
  if (typeof epochMs === 'number' && epochMs >= EARLIEST_EPOCH_MS && epochMs < LATEST_EPOCH_MS) return epochMs;
  const mistake = mistakeIn(epochMs);
  warnOnce(`time ${mistake}`, `${what} ${mistake}. Pass a Date or milliseconds since the epoch, such as Date.now().`);
  return undefined;
}

/** A `Date` of another realm, such as the one outside a test runner's sandbox. */
function isForeignDate(time: unknown): time is Date {
  return Object.prototype.toString.call(time) === '[object Date]';
}

function mistakeIn(epochMs: unknown): string {
  if (typeof epochMs !== 'number') return `is ${epochMs === null ? 'null' : `of type ${typeof epochMs}`}`;
  if (!Number.isFinite(epochMs)) return 'is not a valid time';
  if (epochMs < 0) return 'is before 1970';
  if (isEpochMs(epochMs * 1000)) return 'looks like seconds since the epoch: multiply by 1000';
  if (isEpochMs(epochMs / 1e3)) return 'looks like microseconds since the epoch: divide by 1000';
  if (isEpochMs(epochMs / 1e6)) return 'looks like nanoseconds since the epoch: divide by 1,000,000';
  if (epochMs < EARLIEST_EPOCH_MS) return 'looks like a reading of performance.now(): add performance.timeOrigin';
  return 'is after the year 2200';
}

function isEpochMs(value: number): boolean {
  return value >= EARLIEST_EPOCH_MS && value < LATEST_EPOCH_MS;
}

/** `epochMs` in OpenTelemetry's form: seconds and nanoseconds since the epoch. */
export function hrTimeOf(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}

/** `Date.now()` returns whole milliseconds; a larger difference means that the wall clock was changed. */
const MAX_CLOCK_DIFFERENCE_MS = 2;

let offsetMs = performance.timeOrigin;

/**
 * The current time in milliseconds since the epoch, with the resolution of the monotonic clock. Follows the wall clock
 * when that is changed.
 */
export function epochNowMs(): number {
  const monotonicMs = performance.now();
  const wallMs = Date.now();
  if (Math.abs(offsetMs + monotonicMs - wallMs) > MAX_CLOCK_DIFFERENCE_MS) offsetMs = wallMs - monotonicMs;
  return offsetMs + monotonicMs;
}

/**
 * Converts a reading of `performance.now()` to milliseconds since the epoch, with the wall clock as of the last
 * {@link epochNowMs}.
 */
export function epochMsOf(monotonicMs: number): number {
  return offsetMs + monotonicMs;
}

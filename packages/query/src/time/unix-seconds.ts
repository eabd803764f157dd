import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** A time, a date or a time zone that cannot be understood. */
export class TimeError extends codedError('TimeError') {}

/** Codes of {@link TimeError}. */
export type TimeErrorCode = ErrorCodeOf<'TimeError'>;

export const NANO_PER_SECOND = 1_000_000_000n;

/** Whole Unix seconds of Unix nanoseconds. Rounds down, also before 1970. */
export function wholeSeconds(unixNano: bigint): number {
  return Number((unixNano - fractionNano(unixNano)) / NANO_PER_SECOND);
}

/** Nanoseconds since the last whole second, never negative. */
export function fractionNano(unixNano: bigint): bigint {
  return ((unixNano % NANO_PER_SECOND) + NANO_PER_SECOND) % NANO_PER_SECOND;
}

/** Unix seconds of a UTC date and time. Unlike `Date.UTC`, takes the years 0 to 99 as they are. */
export function unixSecondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime() / 1000;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Midnight of `date` (`YYYY-MM-DD`) in UTC as Unix seconds; undefined where there is no such day. */
export function utcMidnightSeconds(date: string): number | undefined {
  const [, year, month, day] = DATE.exec(date) ?? [];
  if (year === undefined) return undefined;
  const seconds = unixSecondsOf(Number(year), Number(month), Number(day), 0, 0, 0);
  // `Date` rolls 30 February over into March.
  return new Date(seconds * 1000).toISOString().startsWith(date) ? seconds : undefined;
}

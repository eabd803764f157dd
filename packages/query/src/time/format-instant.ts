import { TimeError } from './time-error.ts';
import { fractionNano, unixSecondsOf, wholeSeconds } from './unix-seconds.ts';
import { zoneOffsetSeconds } from './zone-offset.ts';

// RFC 3339 has four digits for the year.
const FIRST_SECOND = unixSecondsOf(0, 1, 1, 0, 0, 0);
const LAST_SECOND = unixSecondsOf(9999, 12, 31, 23, 59, 59);

/**
 * RFC 3339 in UTC, cut (not rounded) to `decimals` of a second: `2025-10-08T12:30:22.123456Z`.
 *
 * @param decimals 0 to 9. @defaultValue 6, as in answers
 * @throws {@link TimeError} `INSTANT_OUT_OF_RANGE`
 */
export function formatInstant(unixNano: bigint, decimals = 6): string {
  return `${formatShifted(unixNano, 0, decimals)}Z`;
}

/**
 * What clocks in `timeZone` show, without offset, cut to `decimals` of a second: `2025-10-08T14:30:22.123456`.
 *
 * @param decimals 0 to 9.
 * @throws {@link TimeError} `TIME_ZONE_UNKNOWN`, `INSTANT_OUT_OF_RANGE`
 */
export function formatLocalInstant(unixNano: bigint, timeZone: string, decimals: number): string {
  return formatShifted(unixNano, zoneOffsetSeconds(wholeSeconds(unixNano), timeZone), decimals);
}

function formatShifted(unixNano: bigint, offsetSeconds: number, decimals: number): string {
  const seconds = wholeSeconds(unixNano) + offsetSeconds;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) {
    throw new TimeError('INSTANT_OUT_OF_RANGE', `${unixNano} ns since 1970 is not between the years 0 and 9999`);
  }
  const dateAndTime = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (decimals === 0) return dateAndTime;
  return `${dateAndTime}.${String(fractionNano(unixNano)).padStart(9, '0').slice(0, decimals)}`;
}

import { zoneOffsetSeconds } from './time-zone.ts';
import {
  fractionNano,
  NANO_PER_SECOND,
  TimeError,
  unixSecondsOf,
  utcMidnightSeconds,
  wholeSeconds,
} from './unix-seconds.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Unix nanoseconds of an RFC 3339 time with an offset (section 5.6) and up to 9 decimals, such as
 * `2025-10-08T14:30:22.5+02:00`. Second 60 is refused: Unix time has no leap seconds.
 *
 * @throws {@link TimeError} `INSTANT_MALFORMED`
 */
export function parseInstant(text: string): bigint {
  const match = RFC_3339.exec(text);
  const [, date = '', hour, minute, second, fraction = '', sign, offsetHour = 0, offsetMinute = 0] = match ?? [];
  const midnight = utcMidnightSeconds(date);
  const isValid =
    match !== null &&
    midnight !== undefined &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(offsetHour) < 24 &&
    Number(offsetMinute) < 60;
  if (!isValid) {
    throw new TimeError(
      'INSTANT_MALFORMED',
      `"${text}" is not an RFC 3339 time with an offset, for example 2025-10-08T14:30:00Z or 2025-10-08T14:30:00.5+02:00`,
    );
  }
  const offsetSeconds = (Number(offsetHour) * 3600 + Number(offsetMinute) * 60) * (sign === '-' ? -1 : 1);
  const seconds = midnight + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offsetSeconds;
  return BigInt(seconds) * NANO_PER_SECOND + BigInt(fraction.padEnd(9, '0'));
}

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

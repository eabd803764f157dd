import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';
import type { ConversationCount } from '../questions.ts';

/** A time, date or time zone that cannot be parsed. */
export class TimeError extends codedError('TimeError') {}

/** Codes of {@link TimeError}. */
export type TimeErrorCode = ErrorCodeOf<'TimeError'>;

export const NANO_PER_SECOND = 1_000_000_000n;

/** Whole Unix seconds of Unix nanoseconds, rounded down, also before 1970. */
export function wholeSeconds(unixNano: bigint): number {
  return Number((unixNano - fractionNano(unixNano)) / NANO_PER_SECOND);
}

/** Nanoseconds since the last whole second, never negative. */
export function fractionNano(unixNano: bigint): bigint {
  return ((unixNano % NANO_PER_SECOND) + NANO_PER_SECOND) % NANO_PER_SECOND;
}

/** Unix seconds of a UTC date and time. Unlike `Date.UTC`, it does not map the years 0 to 99 to 1900 to 1999. */
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

/** Midnight of `date` (`YYYY-MM-DD`) in UTC as Unix seconds; undefined if there is no such day. */
export function utcMidnightSeconds(date: string): number | undefined {
  if (date === lastMidnight.date) return lastMidnight.seconds;
  const [, year, month, day] = DATE.exec(date) ?? [];
  if (year === undefined) return undefined;
  const seconds = unixSecondsOf(Number(year), Number(month), Number(day), 0, 0, 0);
  // `Date` rolls 30 February over into March.
  const isDay = new Date(seconds * 1000).toISOString().startsWith(date);
  lastMidnight = { date, seconds: isDay ? seconds : undefined };
  return lastMidnight.seconds;
}

/** The times of one answer mostly lie within a day. */
let lastMidnight: { date: string; seconds: number | undefined } = { date: '', seconds: undefined };

// Creating a formatter takes about 50 µs (the first 10 ms), using one 2 µs. UTC needs none.
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * The offset of `timeZone` from UTC at an instant, in seconds (negative west of Greenwich).
 *
 * @param unixSeconds Whole seconds since 1970.
 * @throws {@link TimeError} `TIME_ZONE_UNKNOWN`
 */
export function zoneOffsetSeconds(unixSeconds: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const fields: Record<string, number> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(unixSeconds * 1000)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return unixSecondsOf(year, month, day, hour, minute, second) - unixSeconds;
}

/** Whether this Node.js knows the IANA time zone `timeZone`. */
export function isTimeZone(timeZone: string): boolean {
  if (timeZone === 'UTC') return true;
  try {
    formatterOf(timeZone);
    return true;
  } catch (error) {
    if (error instanceof TimeError) return false;
    throw error;
  }
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  try {
    const formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(timeZone, formatter);
    return formatter;
  } catch (error) {
    throw new TimeError(
      'TIME_ZONE_UNKNOWN',
      `"${timeZone}" is not a time zone; give an IANA name such as "Europe/Berlin" or "UTC"`,
      { cause: error },
    );
  }
}

/**
 * Unix nanoseconds of the start of `date` (`YYYY-MM-DD`) in `timeZone`: midnight or, if the clocks are set forward past
 * midnight or past the whole day, the moment of that change. Of a midnight that occurs twice, the first.
 *
 * @throws {@link TimeError} `DATE_MALFORMED`, `TIME_ZONE_UNKNOWN`
 */
export function zonedMidnight(date: string, timeZone: string): bigint {
  const midnight = utcMidnightSeconds(date);
  if (midnight === undefined) {
    throw new TimeError('DATE_MALFORMED', `"${date}" is not a date; write it like 2025-10-08`);
  }
  const localSeconds = (unixSeconds: number): number => unixSeconds + zoneOffsetSeconds(unixSeconds, timeZone);
  // The offset at midnight is that of the previous or of the next day; the larger one gives the earlier instant.
  const offsets = [-86_400, 86_400].map((shift) => zoneOffsetSeconds(midnight + shift, timeZone));
  const [earliest, latest] = [midnight - Math.max(...offsets), midnight - Math.min(...offsets)];
  for (const instant of [earliest, latest]) {
    if (localSeconds(instant) === midnight) return BigInt(instant) * NANO_PER_SECOND;
  }
  // Neither is midnight, so the change is between them: local time is before midnight until it, and after midnight from
  // it on.
  let [before, after] = [earliest, latest];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localSeconds(middle) < midnight) before = middle;
    else after = middle;
  }
  return BigInt(after) * NANO_PER_SECOND;
}

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Unix nanoseconds of an RFC 3339 time with an offset (section 5.6) and up to 9 decimals, such as
 * `2025-10-08T14:30:22.5+02:00`. Second 60 is rejected, because Unix time has no leap seconds.
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

// RFC 3339 years have four digits.
const FIRST_SECOND = unixSecondsOf(0, 1, 1, 0, 0, 0);
const LAST_SECOND = unixSecondsOf(9999, 12, 31, 23, 59, 59);

/**
 * RFC 3339 in UTC, truncated (not rounded) to `decimals` of a second: `2025-10-08T12:30:22.123456Z`.
 *
 * @param decimals 0 to 9. @defaultValue 6, as in answers
 * @throws {@link TimeError} `INSTANT_OUT_OF_RANGE`
 */
export function formatInstant(unixNano: bigint, decimals = 6): string {
  return `${formatShifted(unixNano, 0, decimals)}Z`;
}

/**
 * Local time in `timeZone`, without offset, truncated to `decimals` of a second: `2025-10-08T14:30:22.123456`.
 *
 * @param decimals 0 to 9.
 * @throws {@link TimeError} `TIME_ZONE_UNKNOWN`, `INSTANT_OUT_OF_RANGE`
 */
export function formatLocalInstant(unixNano: bigint, timeZone: string, decimals: number): string {
  return formatShifted(unixNano, zoneOffsetSeconds(wholeSeconds(unixNano), timeZone), decimals);
}

/** The local day in `timeZone`: `2025-10-08`. Throws like {@link formatLocalInstant}. */
export function localDayOf(unixNano: bigint, timeZone: string): string {
  return formatLocalInstant(unixNano, timeZone, 0).slice(0, 'YYYY-MM-DD'.length);
}

function formatShifted(unixNano: bigint, offsetSeconds: number, decimals: number): string {
  let fraction = Number(unixNano - lastShown.startUnixNano);
  if (!(fraction >= 0 && fraction < 1e9) || offsetSeconds !== lastShown.offsetSeconds) {
    lastShown = showSecond(unixNano, offsetSeconds);
    fraction = Number(unixNano - lastShown.startUnixNano);
  }
  if (decimals === 0) return lastShown.text;
  // The leading digit keeps the zeros after it.
  return `${lastShown.text}.${String(1e9 + fraction).slice(1, 1 + decimals)}`;
}

interface ShownSecond {
  startUnixNano: bigint;
  offsetSeconds: number;
  text: string;
}

/** Tens of thousands of steps lie close together, and showing the same second again is much faster. */
let lastShown: ShownSecond = { startUnixNano: 0n, offsetSeconds: Number.NaN, text: '' };

function showSecond(unixNano: bigint, offsetSeconds: number): ShownSecond {
  const startUnixNano = unixNano - fractionNano(unixNano);
  const seconds = Number(startUnixNano / NANO_PER_SECOND) + offsetSeconds;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) {
    throw new TimeError('INSTANT_OUT_OF_RANGE', `${unixNano} ns since 1970 is not between the years 0 and 9999`);
  }
  return { startUnixNano, offsetSeconds, text: new Date(seconds * 1000).toISOString().slice(0, 19) };
}

const QUARTER_HOUR_SECONDS = 900;

/** Number of conversations that start in a quarter hour of UTC. */
export interface QuarterHourCount {
  /** Any instant of the quarter hour, in Unix nanoseconds. */
  startUnixNano: bigint;
  conversations: number;
}

/**
 * Adds up quarter hours of UTC to clock hours of `timeZone` (`hour`) or to hours of the day (`hourOfDay`), in ascending
 * order, without empty hours. For engines without time zones, which count quarter hours.
 *
 * A clock hour that occurs twice, at the end of daylight saving time, has two rows in `hour`; if the clocks change
 * within an hour, the part after the change starts at the change. Exact if offsets and changes are multiples of 15
 * minutes, as everywhere since 1972 except for changes at one minute past midnight (Newfoundland, 1987 to 2011).
 *
 * @throws `TimeError` `TIME_ZONE_UNKNOWN`
 */
export function foldIntoHours(
  quarterHours: Iterable<QuarterHourCount>,
  by: 'hour' | 'hourOfDay',
  timeZone: string,
): ConversationCount[] {
  const countsByKey = new Map<number, number>();
  for (const { startUnixNano, conversations } of quarterHours) {
    if (conversations === 0) continue;
    const quarterStart = quarterStartSeconds(startUnixNano);
    const offset = zoneOffsetSeconds(quarterStart, timeZone);
    const key = by === 'hour' ? hourStartSeconds(quarterStart, offset, timeZone) : hourOfDayOf(quarterStart + offset);
    countsByKey.set(key, (countsByKey.get(key) ?? 0) + conversations);
  }
  return [...countsByKey]
    .sort(([a], [b]) => a - b)
    .map(([key, conversations]) =>
      by === 'hour'
        ? { hourUnixNano: BigInt(key) * NANO_PER_SECOND, conversations }
        : { hourOfDay: key, conversations },
    );
}

/** Start of the quarter hour of UTC that contains `unixNano`, in Unix seconds. */
function quarterStartSeconds(unixNano: bigint): number {
  return Math.floor(wholeSeconds(unixNano) / QUARTER_HOUR_SECONDS) * QUARTER_HOUR_SECONDS;
}

/** Start of the clock hour of `instant`, or the last clock change in that hour, in Unix seconds. */
function hourStartSeconds(instant: number, offset: number, timeZone: string): number {
  const local = instant + offset;
  let start = instant - (local - Math.floor(local / 3600) * 3600);
  while (start < instant && zoneOffsetSeconds(start, timeZone) !== offset) start += QUARTER_HOUR_SECONDS;
  return start;
}

function hourOfDayOf(localSeconds: number): number {
  return Math.floor((((localSeconds % 86_400) + 86_400) % 86_400) / 3600);
}

import { formatLocalInstant, parseInstant, zonedMidnight } from '@convotel/query';
import type { Window } from '@convotel/query';
import { durationInWords, isDuration, parseDurationNano } from '../values.ts';
import { UsageError } from '../terminal.ts';
import type { WindowTexts } from './shared-options.ts';

const NANO_PER_DAY = 86_400_000_000_000n;

/** The time zone that times are read and shown in, and the current time. */
export interface TimeBase {
  timeZone: string;
  nowUnixNano: bigint;
}

/** A window, and its description in a heading: `last 24 hours`, `24 hours before 2025-10-08`, or its start and end. */
export interface NamedWindow {
  window: Window;
  windowText: string;
}

/**
 * Reads `--since`, `--until` and `--hours`.
 *
 * `--until` defaults to now. A duration is subtracted from now in `--until`, and from `--until` in `--since`.
 * @throws {@link UsageError} if they are not times, contradict each other, or the window would be empty.
 */
export function resolveWindow(texts: WindowTexts, defaultSince: string, base: TimeBase): NamedWindow {
  if (texts.hours !== undefined && texts.since !== undefined) {
    throw new UsageError('--hours and --since both set the start of the window; give one of them.');
  }
  const sinceText = texts.hours === undefined ? (texts.since ?? defaultSince) : `${texts.hours}h`;
  const untilUnixNano = texts.until === undefined ? base.nowUnixNano : resolveInstant(texts.until, '--until', base);
  const sinceUnixNano = resolveInstant(sinceText, '--since', base, untilUnixNano);
  if (sinceUnixNano >= untilUnixNano) {
    throw new UsageError(
      `--since must be before --until, got ${sinceText} and ${texts.until ?? 'now'}: the window would be empty.`,
    );
  }
  return {
    window: { sinceUnixNano, untilUnixNano },
    windowText: describeWindow(sinceText, texts.until ?? 'now'),
  };
}

function describeWindow(since: string, until: string): string {
  const untilText = isDuration(until) ? `${durationInWords(until)} ago` : until;
  if (!isDuration(since)) return `${since}..${untilText}`;
  return until === 'now' ? `last ${durationInWords(since)}` : `${durationInWords(since)} before ${untilText}`;
}

/**
 * Reads `<from>..<to>` in the formats of `--since` and `--until`. Durations are subtracted from now.
 * @throws {@link UsageError} with `flag` in its message.
 */
export function resolveRange(text: string, flag: string, base: TimeBase): Window {
  const [since, until, ...more] = text.split('..');
  if (!since || !until || more.length > 0) {
    throw new UsageError(`${flag} takes two times such as 2025-10-01..2025-10-07 or 2d..1d, got "${text}".`);
  }
  const sinceUnixNano = resolveInstant(since, flag, base);
  const untilUnixNano = resolveInstant(until, flag, base);
  if (sinceUnixNano >= untilUnixNano) {
    throw new UsageError(`${flag} must begin before it ends, got "${text}": the window would be empty.`);
  }
  return { sinceUnixNano, untilUnixNano };
}

/**
 * Reads one time: a duration before `countedFromUnixNano`, `now`, `today`, `yesterday`, a date, a date and time in the
 * time zone of `base`, or RFC 3339 with an offset.
 * @throws {@link UsageError} with `flag` in its message.
 */
export function resolveInstant(
  text: string,
  flag: string,
  { timeZone, nowUnixNano }: TimeBase,
  countedFromUnixNano: bigint = nowUnixNano,
): bigint {
  if (isDuration(text)) return checkYear(countedFromUnixNano - parseDurationNano(text, flag), text, flag);
  if (text === 'now') return nowUnixNano;
  if (text === 'today' || text === 'yesterday') {
    const today = formatLocalInstant(nowUnixNano, timeZone, 0).slice(0, 'YYYY-MM-DD'.length);
    return zonedMidnight(text === 'today' ? today : dayBefore(today), timeZone);
  }
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return zonedMidnight(text, timeZone);
    const local = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)$/.exec(text);
    return local === null ? parseInstant(text) : zonedInstant(local[1] as string, local[2] as string, timeZone);
  } catch (error) {
    const hint = /^\d+(\.\d+)?$/.test(text) ? ` Did you mean ${text}h?` : '';
    throw new UsageError(
      `${flag} takes a duration such as 24h, 7d or 1h30m, now, today or yesterday, a date such as 2025-10-08, ` +
        `a time such as "2025-10-08 14:30", or one with its offset such as 2025-10-08T14:30:00+02:00, ` +
        `got "${text}".${hint}`,
      { cause: error },
    );
  }
}

/**
 * Returns `unixNano`, which `text` leads to, if it is in the years 0 to 9999: others cannot be written.
 * @throws {@link UsageError} with `flag` in its message.
 */
export function checkYear(unixNano: bigint, text: string, flag: string): bigint {
  if (unixNano >= parseInstant('0000-01-01T00:00:00Z') && unixNano <= parseInstant('9999-12-31T23:59:59Z')) {
    return unixNano;
  }
  throw new UsageError(`${flag} leads beyond the years 0 to 9999, got "${text}".`);
}

/** The day before `date`, both `YYYY-MM-DD`. */
function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/**
 * The first instant at which the local time in `timeZone` is `date` and `time`. If that local time is skipped, the
 * offset before the change applies.
 */
function zonedInstant(date: string, time: string, timeZone: string): bigint {
  const written = parseInstant(`${date}T${time.length === 5 ? `${time}:00` : time}Z`);
  /** Offset from UTC. */
  const offsetAt = (unixNano: bigint): bigint =>
    parseInstant(`${formatLocalInstant(unixNano, timeZone, 0)}Z`) - unixNano;
  // The offset is that of the day before or of the day after; the larger one gives the earlier instant.
  const before = offsetAt(written - NANO_PER_DAY);
  const after = offsetAt(written + NANO_PER_DAY);
  const instants = before > after ? [written - before, written - after] : [written - after, written - before];
  return instants.find((instant) => instant + offsetAt(instant) === written) ?? written - before;
}

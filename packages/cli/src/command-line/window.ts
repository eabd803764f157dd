import { parseInstant, zonedMidnight } from '@convotel/query';
import type { Window } from '@convotel/query';
import { durationInWords, isDuration, parseDurationNano } from './duration.ts';
import { UsageError } from './usage-error.ts';

/** The options that choose a stretch of time, as they were written. */
export interface WindowTexts {
  since?: string | undefined;
  until?: string | undefined;
  hours?: string | undefined;
}

/** A window, and how a heading speaks of it: `last 24 hours`, or its two ends. */
export interface NamedWindow {
  window: Window;
  windowText: string;
}

/**
 * Reads `--since`, `--until` and `--hours`.
 *
 * `--until` is now unless given; a duration counts back from now there, and back from `--until` in `--since`.
 * A date means its midnight in `timeZone`.
 * @throws {@link UsageError} when they are not times, contradict each other, or hold no time between them.
 */
export function resolveWindow(
  texts: WindowTexts,
  defaultSince: string,
  timeZone: string,
  nowUnixNano: bigint,
): NamedWindow {
  if (texts.hours !== undefined && texts.since !== undefined) {
    throw new UsageError('--hours and --since say the same thing; give one of them.');
  }
  const sinceText = texts.hours === undefined ? (texts.since ?? defaultSince) : hoursToDuration(texts.hours);
  const untilUnixNano =
    texts.until === undefined ? nowUnixNano : resolveInstant(texts.until, '--until', timeZone, nowUnixNano);
  const sinceUnixNano = resolveInstant(sinceText, '--since', timeZone, untilUnixNano);
  if (sinceUnixNano >= untilUnixNano) {
    throw new UsageError(
      `--since must be before --until, got ${sinceText} and ${texts.until ?? 'now'}: there is no time between them.`,
    );
  }
  const isUpToNow = texts.until === undefined && isDuration(sinceText);
  return {
    window: { sinceUnixNano, untilUnixNano },
    windowText: isUpToNow ? `last ${durationInWords(sinceText)}` : `${sinceText}..${texts.until ?? 'now'}`,
  };
}

/**
 * Reads one instant: a duration back from `baseUnixNano`, RFC 3339 with an offset, or a date.
 * @throws {@link UsageError} naming `option`.
 */
export function resolveInstant(text: string, option: string, timeZone: string, baseUnixNano: bigint): bigint {
  if (isDuration(text)) return baseUnixNano - parseDurationNano(text, option);
  const wrong = new UsageError(
    `${option} takes a duration such as 24h, 7d or 1h30m, a date such as 2025-10-08, ` +
      `or a time with its offset such as 2025-10-08T14:30:00+02:00, got "${text}".` +
      (/^\d+(\.\d+)?$/.test(text) ? ` Did you mean ${text}h?` : ''),
  );
  try {
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? zonedMidnight(text, timeZone) : parseInstant(text);
  } catch (error) {
    wrong.cause = error;
    throw wrong;
  }
}

function hoursToDuration(hours: string): string {
  if (!/^\d{1,6}$/.test(hours) || Number(hours) === 0) {
    throw new UsageError(`--hours takes a whole number above 0, got "${hours}".`);
  }
  return `${Number(hours)}h`;
}

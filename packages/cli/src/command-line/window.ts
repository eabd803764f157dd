import { parseInstant, zonedMidnight } from '@convotel/query';
import type { Window } from '@convotel/query';
import { durationInWords, isDuration, parseDurationNano } from './duration.ts';
import { UsageError } from './usage-error.ts';
import type { WindowTexts } from './window-options.ts';

/** The zone that times are written and shown in, and the present. */
export interface TimeBase {
  timeZone: string;
  nowUnixNano: bigint;
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
 * A date means its midnight in the time zone.
 * @throws {@link UsageError} when they are not times, contradict each other, or the window would be empty.
 */
export function resolveWindow(texts: WindowTexts, defaultSince: string, base: TimeBase): NamedWindow {
  if (texts.hours !== undefined && texts.since !== undefined) {
    throw new UsageError('--hours and --since say the same thing; give one of them.');
  }
  const sinceText = texts.hours === undefined ? (texts.since ?? defaultSince) : `${texts.hours}h`;
  const untilUnixNano = texts.until === undefined ? base.nowUnixNano : resolveInstant(texts.until, '--until', base);
  const sinceUnixNano = resolveInstant(sinceText, '--since', { ...base, nowUnixNano: untilUnixNano });
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
 * Reads one instant: a duration back from the present of `base`, RFC 3339 with an offset, or a date.
 * @throws {@link UsageError} naming `flag`.
 */
export function resolveInstant(text: string, flag: string, { timeZone, nowUnixNano }: TimeBase): bigint {
  if (isDuration(text)) return nowUnixNano - parseDurationNano(text, flag);
  try {
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? zonedMidnight(text, timeZone) : parseInstant(text);
  } catch (error) {
    const hint = /^\d+(\.\d+)?$/.test(text) ? ` Did you mean ${text}h?` : '';
    throw new UsageError(
      `${flag} takes a duration such as 24h, 7d or 1h30m, a date such as 2025-10-08, ` +
        `or a time with its offset such as 2025-10-08T14:30:00+02:00, got "${text}".${hint}`,
      { cause: error },
    );
  }
}

import type { ConversationCount } from '../questions.ts';
import { NANO_PER_SECOND, wholeSeconds, zoneOffsetSeconds } from './instant.ts';

const QUARTER_HOUR_SECONDS = 900;

/** How many conversations start in a quarter of an hour of UTC. */
export interface QuarterHourCount {
  /** Any instant of the quarter hour, Unix nanoseconds. */
  startUnixNano: bigint;
  conversations: number;
}

/**
 * Adds quarter hours of UTC up to clock hours of `timeZone` (`hour`), or to hours of the day (`hourOfDay`); the lowest
 * first, hours without a conversation left out. Engines that know no time zones count quarter hours and leave the rest
 * to this.
 *
 * A clock hour that comes twice, at the end of summer time, is two rows in `hour`; where the clocks are changed within
 * an hour, the part behind the change begins at the change. Exact where offsets and changes are multiples of 15 minutes,
 * as everywhere since 1972 but for changes one minute past midnight (Newfoundland, 1987 to 2011).
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

/** The quarter hour of UTC in which `unixNano` lies, as Unix seconds. */
function quarterStartSeconds(unixNano: bigint): number {
  return Math.floor(wholeSeconds(unixNano) / QUARTER_HOUR_SECONDS) * QUARTER_HOUR_SECONDS;
}

/** The instant since when clocks in the zone show the hour of `instant` without having been changed. */
function hourStartSeconds(instant: number, offset: number, timeZone: string): number {
  const local = instant + offset;
  let start = instant - (local - Math.floor(local / 3600) * 3600);
  while (start < instant && zoneOffsetSeconds(start, timeZone) !== offset) start += QUARTER_HOUR_SECONDS;
  return start;
}

function hourOfDayOf(localSeconds: number): number {
  return Math.floor((((localSeconds % 86_400) + 86_400) % 86_400) / 3600);
}

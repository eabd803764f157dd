import { TimeError } from './time-error.ts';
import { NANO_PER_SECOND, utcMidnightSeconds } from './unix-seconds.ts';
import { zoneOffsetSeconds } from './zone-offset.ts';

/**
 * Unix nanoseconds of the first instant at which clocks in `timeZone` show `date` (`YYYY-MM-DD`): midnight, or, where
 * the clocks jump over midnight or the whole day, the end of the jump. A midnight that comes twice counts the first time.
 *
 * @throws {@link TimeError} `DATE_MALFORMED`, `TIME_ZONE_UNKNOWN`
 */
export function zonedMidnight(date: string, timeZone: string): bigint {
  const midnight = utcMidnightSeconds(date);
  if (midnight === undefined) {
    throw new TimeError('DATE_MALFORMED', `"${date}" is no date; write it like 2025-10-08`);
  }
  const localSeconds = (unixSeconds: number): number => unixSeconds + zoneOffsetSeconds(unixSeconds, timeZone);
  // The offset at midnight is that of the day before or that of the day after; the larger one gives the earlier instant.
  const offsets = [-86_400, 86_400].map((shift) => zoneOffsetSeconds(midnight + shift, timeZone));
  const [earliest, latest] = [midnight - Math.max(...offsets), midnight - Math.min(...offsets)];
  for (const instant of [earliest, latest]) {
    if (localSeconds(instant) === midnight) return BigInt(instant) * NANO_PER_SECOND;
  }
  // Neither shows midnight: the jump lies between them. Before it clocks show an earlier date, from it on a later time.
  let [before, after] = [earliest, latest];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localSeconds(middle) < midnight) before = middle;
    else after = middle;
  }
  return BigInt(after) * NANO_PER_SECOND;
}

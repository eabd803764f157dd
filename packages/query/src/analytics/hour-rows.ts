import type { HourOfDayRow, HourRow } from '../answers/data.ts';
import type { ConversationCount } from '../questions.ts';
import { formatInstant } from '../time/format-instant.ts';

/** The rows of `hours`, from counts by hour: oldest first, hours without conversations left out. */
export function hourRows(counts: readonly ConversationCount[]): HourRow[] {
  return counts.flatMap(({ hourUnixNano, conversations }) =>
    hourUnixNano === undefined ? [] : [{ hour: formatInstant(hourUnixNano), conversations }],
  );
}

/** The rows of `busiest`, from counts by hour of the day: most conversations first, then the earlier hour. */
export function busiestRows(counts: readonly ConversationCount[], limit: number): HourOfDayRow[] {
  return counts
    .flatMap(({ hourOfDay, conversations }) => (hourOfDay === undefined ? [] : [{ hourOfDay, conversations }]))
    .sort((a, b) => b.conversations - a.conversations || a.hourOfDay - b.hourOfDay)
    .slice(0, limit);
}

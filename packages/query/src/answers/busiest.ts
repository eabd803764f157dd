import type { ConversationSource } from '../questions.ts';
import { buildReport, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** A row of `busiest`. */
export interface HourOfDayRow {
  /** 0 to 23. */
  hourOfDay: number;
  conversations: number;
}

/** Maximum number of hours that are listed. */
const BUSIEST_HOURS = 10;

/**
 * The ten hours of the day, in the time zone, in which most conversations of the window start: most first, ties by
 * hour.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function busiest(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'busiest', HourOfDayRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const asked = { window, filters, by: 'hourOfDay', timeZone } as const;
  const { data: counts, coverage } = await source.ask({ name: 'conversation-counts', ...asked });
  const data = counts
    .flatMap(({ hourOfDay, conversations }) => (hourOfDay === undefined ? [] : [{ hourOfDay, conversations }]))
    .sort((a, b) => b.conversations - a.conversations || a.hourOfDay - b.hourOfDay)
    .slice(0, BUSIEST_HOURS);
  return buildReport({ command: 'busiest', source, window, timeZone, coverage, data });
}

import { busiestRows } from '../analytics/hour-rows.ts';
import type { HourOfDayRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

/** How many hours of the day are listed. */
const BUSIEST_HOURS = 10;

/**
 * The ten hours of the day, in the zone, in which most conversations of the window start: most first, then the earlier
 * hour.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function busiest(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'busiest', HourOfDayRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data, coverage } = await source.ask({
    name: 'conversation-counts',
    window,
    filters,
    by: 'hourOfDay',
    timeZone,
  });
  const rows = busiestRows(data, BUSIEST_HOURS);
  return buildReport({ command: 'busiest', source, window, timeZone, coverage, data: rows });
}

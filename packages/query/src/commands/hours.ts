import { hourRows } from '../analytics/hour-rows.ts';
import type { HourRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

/**
 * Conversations that start in each clock hour of the zone, oldest first, hours without any left out. At the end of
 * summer time the repeated hour is two rows, told apart by their instants.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function hours(source: ConversationSource, options: WindowedOptions): Promise<Report<'hours', HourRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data, coverage } = await source.ask({ name: 'conversation-counts', window, filters, by: 'hour', timeZone });
  return buildReport({ command: 'hours', source, window, timeZone, coverage, data: hourRows(data) });
}

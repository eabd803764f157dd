import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { buildReport, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** A row of `hours`. */
export interface HourRow {
  /** The instant at which the hour begins. */
  hour: string;
  conversations: number;
}

/**
 * Conversations that start in each clock hour of the zone, oldest first; hours without any are left out. At the end of
 * daylight saving time the repeated hour is two rows, told apart by their instants.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function hours(source: ConversationSource, options: WindowedOptions): Promise<Report<'hours', HourRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const asked = { window, filters, by: 'hour', timeZone } as const;
  const { data: counts, coverage } = await source.ask({ name: 'conversation-counts', ...asked });
  const data = counts.flatMap(({ hourUnixNano, conversations }) =>
    hourUnixNano === undefined ? [] : [{ hour: formatInstant(hourUnixNano), conversations }],
  );
  return buildReport({ command: 'hours', source, window, timeZone, coverage, data });
}

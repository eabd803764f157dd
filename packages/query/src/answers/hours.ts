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
 * Number of conversations that start in each hour in the time zone, oldest first, without empty hours. The hour that is
 * repeated at the end of daylight saving time has two rows, at different instants.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
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

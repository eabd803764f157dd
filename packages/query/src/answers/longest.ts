import type { ConversationSource } from '../questions.ts';
import { conversationRow } from './recent.ts';
import type { ConversationRow } from './recent.ts';
import { buildReport, checkLimit, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Options of {@link longest}. */
export interface LongestOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * The conversations with the longest wall-clock duration (end − start), longest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function longest(
  source: ConversationSource,
  options: LongestOptions,
): Promise<Report<'longest', ConversationRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const { data, coverage } = await source.ask({ name: 'conversations', window, filters, order: 'longest', limit });
  return buildReport({ command: 'longest', source, window, timeZone, coverage, data: data.map(conversationRow) });
}

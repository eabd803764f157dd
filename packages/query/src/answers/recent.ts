import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';
import { conversationRow } from './conversation-row.ts';
import type { ConversationRow } from './conversation-row.ts';
import { checkLimit, checkTimeZone, checkWindow } from './options.ts';
import { buildReport } from './report.ts';
import type { Report } from './report.ts';

/** What {@link recent} is asked with. */
export interface RecentOptions {
  /** IANA zone that times are shown in; it stands in the report. */
  timeZone: string;
  /** Conversations that start in it; all of them when absent. */
  window?: Window | undefined;
  filters?: ConversationFilters | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * The newest conversations, open ones included, newest start first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function recent(
  source: ConversationSource,
  options: RecentOptions,
): Promise<Report<'recent', ConversationRow[]>> {
  const { timeZone, window, filters = {}, limit = 10 } = options;
  checkTimeZone(timeZone);
  if (window !== undefined) checkWindow('window', window);
  checkLimit(limit);

  const asked = { name: 'conversations', filters, order: 'newest', limit } as const;
  const { data, coverage } = await source.ask(window === undefined ? asked : { ...asked, window });
  return buildReport({ command: 'recent', source, window, timeZone, coverage, data: data.map(conversationRow) });
}

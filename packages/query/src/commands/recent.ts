import { conversationRow } from '../analytics/conversation-rows.ts';
import type { ConversationRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkLimit, checkTimeZone, checkWindow } from './check-options.ts';

/** What {@link recent} is asked with. */
export interface RecentOptions {
  /** IANA zone that times are shown in; it stands in the answer. */
  timeZone: string;
  /** Conversations that start in it; all that there is when absent. */
  window?: Window | undefined;
  filters?: ConversationFilters;
  /** Most rows, 1 to 10,000. @defaultValue `10` */
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

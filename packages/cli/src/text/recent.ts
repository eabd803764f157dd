import type { ConversationRow, Report } from '@convotel/query';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** The newest conversations; one that has not ended yet says `open`. */
export function recentText(report: Report<'recent', ConversationRow[]>, context: TextContext): string {
  const { data: rows, window } = report;
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 30, align: 'left', cell: (row) => row.conversationId },
      {
        heading: 'Start Time',
        width: 26,
        align: 'left',
        gap: 1,
        cell: (row) => localTimeText(row.startTime, window.timeZone, 6),
      },
    ],
    rows,
    (row) => (row.outcome === 'open' ? '  open' : ''),
  );
  return pageText([
    ...titleLines(`Recent Conversations (last ${context.limit ?? rows.length})`, 80),
    ...tableSection(table, 80, 'No conversations found'),
    heavyRule(80),
  ]);
}

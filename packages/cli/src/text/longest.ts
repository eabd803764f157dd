import type { ConversationRow, Report } from '@convotel/query';
import { secondsText } from './duration-text.ts';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** The conversations that took longest on the wall clock, their total beside it. */
export function longestText(report: Report<'longest', ConversationRow[]>, context: TextContext): string {
  const { data: rows, window } = report;
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 30, align: 'left', cell: (row) => row.conversationId },
      { heading: 'Wall (s)', width: 8, align: 'right', gap: 1, cell: (row) => secondsText(row.wallMs) },
      { heading: 'Total (s)', width: 9, align: 'right', gap: 2, cell: (row) => secondsText(row.totalMs) },
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      {
        heading: 'Start Time',
        width: 19,
        align: 'left',
        gap: 2,
        cell: (row) => localTimeText(row.startTime, window.timeZone, 0),
      },
    ],
    rows,
    (row) => (row.outcome === 'open' ? '  open' : ''),
  );
  return pageText([
    ...titleLines(`Longest Conversations (${context.windowText})`, 80),
    ...tableSection(table, 80, 'No conversations in this window'),
    heavyRule(80),
  ]);
}

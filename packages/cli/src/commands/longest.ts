import type { ConversationRow, Report } from '@convotel/query';
import { LIMIT_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { secondsText } from '../text/words.ts';

/** `longest`: the longest conversations on the wall clock. */
export const command = windowCommand({
  examples: [['convotel longest --limit 5', 'the five longest of the last day']],
  since: '24h',
  options: LIMIT_OPTION,
  ask: (query, source, asked) => query.longest(source, { ...asked, limit: asked.options.limit }),
  text: longestText,
});

/** The conversations that took longest on the wall clock, their total beside it. */
export function longestText(
  { data: rows }: Report<'longest', ConversationRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 30, align: 'left', cell: (row) => row.conversationId },
      { heading: 'Wall (s)', width: 8, align: 'right', gap: 1, cell: (row) => secondsText(row.wallMs) },
      { heading: 'Total (s)', width: 9, align: 'right', gap: 2, cell: (row) => secondsText(row.totalMs) },
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      { heading: 'Start Time', width: 19, align: 'left', gap: 2, cell: (row) => context.localTime(row.startTime, 0) },
    ],
    rows,
    (row) => (row.outcome === 'open' ? '  open' : ''),
  );
  return pageText([
    ...titleLines(`Longest Conversations (${windowText})`, 80),
    ...tableSection(table, 80, 'No conversations in this window'),
    heavyRule(80),
  ]);
}

import type { ConversationRow, Report } from '@convotel/query';
import { LIMIT_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { heavyRule, pageText, tableSection, titleLines, secondsText } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `longest`: the conversations with the longest duration. */
export const command = windowCommand({
  examples: [['convotel longest --limit 5', 'the five longest of the last day']],
  since: '24h',
  options: LIMIT_OPTION,
  ask: async (source, asked) => {
    const { longest } = await import('@convotel/query');
    return longest(source, { ...asked, limit: asked.options.limit });
  },
  text: longestText,
});

/** The conversations with the longest duration, and the sum of their steps. */
export function longestText(
  { data: rows }: Report<'longest', ConversationRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 30, align: 'left', cell: (row) => row.conversationId },
      { heading: 'Duration (s)', width: 12, align: 'right', gap: 1, cell: (row) => secondsText(row.durationMs) },
      { heading: 'Sum (s)', width: 9, align: 'right', gap: 2, cell: (row) => secondsText(row.stepSumMs) },
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      { heading: 'Start Time', width: 19, align: 'left', gap: 2, cell: (row) => context.localTime(row.startTime, 0) },
    ],
    rows,
    context,
    (row) => (row.outcome === 'open' ? '  open' : ''),
  );
  return pageText(
    [
      ...titleLines(`Longest Conversations (${windowText})`, 80, context),
      ...tableSection(table, 80, 'No conversations in this window', context),
      heavyRule(80, context),
    ],
    context,
  );
}

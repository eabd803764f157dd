import type { CommonErrorRow, Report } from '@convotel/query';
import { LIMIT_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { findingsAndAdvice, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `common-errors`: what fails most often, and where to look. */
export const command = windowCommand({
  examples: [['convotel common-errors --since 7d', 'the last week']],
  since: '24h',
  options: LIMIT_OPTION,
  ask: async (source, asked) => {
    const { commonErrors } = await import('@convotel/query');
    return commonErrors(source, { ...asked, limit: asked.options.limit });
  },
  text: commonErrorsText,
});

/** The most frequent errors, each with its latest conversation; the message is below the numbers. */
export function commonErrorsText(
  { data: rows, findings }: Report<'common-errors', CommonErrorRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Count', width: 8, align: 'right', gap: 1, cell: (row) => String(row.count) },
      { heading: 'Last Seen', width: 19, align: 'left', gap: 3, cell: (row) => context.localTime(row.lastSeen, 0) },
      { heading: 'Conversation ID', width: 30, align: 'left', gap: 2, cell: (row) => row.conversationId },
    ],
    rows,
    context,
    (row) => `\n  ${errorText(row)}`,
  );
  return pageText(
    [
      ...titleLines(`Most Common Errors (${windowText})`, 80, context),
      ...tableSection(table, 80, 'No errors in this window', context),
      heavyRule(80, context),
      ...findingsAndAdvice('FINDINGS', findings, context),
    ],
    context,
  );
}

function errorText({ errorType, message }: CommonErrorRow): string {
  const parts = [errorType, message].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? 'no message' : parts.join(': ');
}

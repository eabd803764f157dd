import type { Report, StepSuccessRow } from '@convotel/query';
import { windowCommand } from '../command-line/window-command.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `success`: which step completes how often. */
export const command = windowCommand({
  examples: [['convotel success --hours 24', 'the last day']],
  since: '24h',
  options: {},
  ask: (query, source, asked) => query.success(source, asked),
  text: successText,
});

/** How often each step completes. */
export function successText(
  { data: rows, findings }: Report<'success', StepSuccessRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Total', width: 8, align: 'right', gap: 1, cell: (row) => String(row.total) },
      { heading: 'Completed', width: 9, align: 'right', gap: 3, cell: (row) => String(row.completed) },
      {
        heading: 'Success Rate',
        width: 12,
        align: 'right',
        gap: 3,
        cell: (row) => `${row.successRatePct.toFixed(2)}%`,
      },
    ],
    rows,
    context,
  );
  return pageText(
    [
      ...titleLines(`Success Rates by Step (${windowText})`, 60, context),
      ...tableSection(table, 60, 'No steps in this window', context),
      heavyRule(60, context),
      ...findingsSection('FINDINGS', findings, context),
    ],
    context,
  );
}

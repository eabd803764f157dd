import type { Report, StepSuccessRow } from '@convotel/query';
import { BY_OPTION, WIDE_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import {
  findingsSection,
  groupLines,
  heavyRule,
  pageText,
  PERCENT_INTERVAL_COLUMN,
  tableSection,
  titleBy,
  titleLines,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { isWideTable, layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `success`: how often each step completes. */
export const command = windowCommand({
  examples: [
    ['convotel success --hours 24', 'the last day'],
    ['convotel success --by version', 'each version of the program on its own'],
  ],
  since: '24h',
  options: { ...BY_OPTION, ...WIDE_OPTION },
  ask: async (source, asked) => {
    const { success } = await import('@convotel/query');
    return success(source, { ...asked, by: asked.options.by });
  },
  text: (report, context, { windowText, options: { wide } }) => successText(report, context, { windowText, wide }),
});

export function successText(
  { by, data, findings }: Report<'success', StepSuccessRow[]>,
  context: TextContext,
  { windowText, wide = false }: { windowText: string; wide?: boolean },
): string {
  const afterRetries: Column<StepSuccessRow> = {
    heading: 'After Retries',
    width: 13,
    align: 'right',
    gap: 3,
    cell: ({ finalSuccessRatePct: rate }) => (rate === undefined ? '-' : `${rate.toFixed(2)}%`),
  };
  const wideColumns: Column<StepSuccessRow>[] = [
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
    PERCENT_INTERVAL_COLUMN,
    ...(data.some((row) => row.retried > 0) ? [afterRetries] : []),
  ];
  const columns = isWideTable(wideColumns, data, wide, context)
    ? wideColumns
    : wideColumns.filter((column) => column !== PERCENT_INTERVAL_COLUMN);
  return pageText(
    [
      ...titleLines(titleBy(`Success Rates by Step (${windowText})`, by), 60, context),
      ...groupLines(data, (rows) => [
        ...tableSection(layOutTable(columns, rows, context), 60, 'No steps in this window', context),
        heavyRule(60, context),
      ]),
      ...findingsSection('FINDINGS', findings, context),
    ],
    context,
  );
}

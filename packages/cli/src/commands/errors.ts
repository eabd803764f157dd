import type { Report, StepErrorRow } from '@convotel/query';
import { BY_OPTION, WIDE_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import {
  arrow,
  findingsAndAdvice,
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

/** `errors`: how often each step fails. */
export const command = windowCommand({
  examples: [
    ['convotel errors --hours 24', 'the last day'],
    ['convotel errors --since 7d --workflow voice', 'one workflow, a week'],
    ['convotel errors --by provider', 'each provider on its own'],
  ],
  since: '24h',
  options: { ...BY_OPTION, ...WIDE_OPTION },
  ask: async (source, asked) => {
    const { errors } = await import('@convotel/query');
    return errors(source, { ...asked, by: asked.options.by });
  },
  text: (report, context, { windowText, options: { wide } }) => errorsText(report, context, { windowText, wide }),
});

/** How often each step fails, notable findings, and advice. */
export function errorsText(
  { by, data, findings }: Report<'errors', StepErrorRow[]>,
  context: TextContext,
  { windowText, wide = false }: { windowText: string; wide?: boolean },
): string {
  const problems = new Set(
    findings.filter(({ rule }) => rule === 'high-error-rate').map(({ evidence }) => keyOf(evidence)),
  );
  const afterRetries: Column<StepErrorRow> = {
    heading: 'After Retries',
    width: 13,
    align: 'right',
    gap: 3,
    cell: ({ finalErrorRatePct: rate }) => (rate === undefined ? '-' : `${rate.toFixed(2)}%`),
  };
  const wideColumns: Column<StepErrorRow>[] = [
    { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
    { heading: 'Total', width: 8, align: 'right', gap: 1, cell: (row) => String(row.total) },
    { heading: 'Failures', width: 8, align: 'right', gap: 3, cell: (row) => String(row.failures) },
    { heading: 'Error Rate', width: 10, align: 'right', gap: 3, cell: (row) => `${row.errorRatePct.toFixed(2)}%` },
    PERCENT_INTERVAL_COLUMN,
    ...(data.some((row) => row.retried > 0) ? [afterRetries] : []),
  ];
  const columns = isWideTable(wideColumns, data, wide, context)
    ? wideColumns
    : wideColumns.filter((column) => column !== PERCENT_INTERVAL_COLUMN);
  const arrowOf = (row: StepErrorRow): string =>
    arrow(problems.has(keyOf({ ...row })) ? 'PROBLEM!' : undefined, context);
  return pageText(
    [
      ...titleLines(titleBy(`Error Rates by Step (${windowText})`, by), 60, context),
      ...groupLines(data, (rows) => [
        ...tableSection(layOutTable(columns, rows, context, arrowOf), 60, 'No steps in this window', context),
        heavyRule(60, context),
      ]),
      ...findingsAndAdvice('FINDINGS', findings, context),
    ],
    context,
  );
}

/** Group and step of a row, or of a finding's evidence, as one string. */
function keyOf({ group, step }: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([group, step]);
}

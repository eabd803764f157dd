import type { Report, StepErrorRow } from '@convotel/query';
import { windowCommand } from '../command-line/window-command.ts';
import { arrow } from '../text/marks.ts';
import { findingsAndAdvice, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `errors`: which step fails how often. */
export const command = windowCommand({
  examples: [
    ['convotel errors --hours 24', 'the last day'],
    ['convotel errors --since 7d --workflow voice', 'one workflow, a week'],
  ],
  since: '24h',
  options: {},
  ask: (query, source, asked) => query.errors(source, asked),
  text: errorsText,
});

/** How often each step fails, what stands out, and what to do about it. */
export function errorsText(
  { data: rows, findings }: Report<'errors', StepErrorRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const problems = new Set(
    findings.filter((finding) => finding.rule === 'high-error-rate').map((finding) => finding.evidence['step']),
  );
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Total', width: 8, align: 'right', gap: 1, cell: (row) => String(row.total) },
      { heading: 'Failures', width: 8, align: 'right', gap: 3, cell: (row) => String(row.failures) },
      { heading: 'Error Rate', width: 10, align: 'right', gap: 3, cell: (row) => `${row.errorRatePct.toFixed(2)}%` },
    ],
    rows,
    context,
    (row) => arrow(problems.has(row.step) ? 'PROBLEM!' : undefined, context),
  );
  return pageText(
    [
      ...titleLines(`Error Rates by Step (${windowText})`, 60, context),
      ...tableSection(table, 60, 'No steps in this window', context),
      heavyRule(60, context),
      ...findingsAndAdvice('FINDINGS', findings, context),
    ],
    context,
  );
}

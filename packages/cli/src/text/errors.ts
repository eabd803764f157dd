import type { Report, StepErrorRow } from '@convotel/query';
import { findingsSection, recommendationsSection } from './findings-section.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { arrow } from './paint.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** How often each step fails, what stands out, and what to do about it. */
export function errorsText(report: Report<'errors', StepErrorRow[]>, context: TextContext): string {
  const { data: rows, findings } = report;
  const problems = new Set(
    findings.filter((finding) => finding.rule === 'high-error-rate').map((finding) => finding.evidence['step']),
  );
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Total', width: 8, align: 'right', gap: 1, cell: (row) => String(row.total) },
      { heading: 'Failures', width: 8, align: 'right', gap: 3, cell: (row) => String(row.failures) },
      {
        heading: 'Error Rate',
        width: 10,
        align: 'right',
        gap: 3,
        cell: (row) => `${row.errorRatePct.toFixed(2)}%`,
      },
    ],
    rows,
    (row) => arrow(problems.has(row.step) ? 'PROBLEM!' : undefined, context),
  );
  return pageText([
    ...titleLines(`Error Rates by Step (${context.windowText})`, 60),
    ...tableSection(table, 60, 'No steps in this window'),
    heavyRule(60),
    ...findingsSection(
      'FINDINGS',
      findings.filter((finding) => finding.severity !== 'advice'),
      context,
    ),
    ...recommendationsSection(findings, context),
  ]);
}

import type { Report, StepSuccessRow } from '@convotel/query';
import { findingsSection } from './findings-section.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** How often each step completes. */
export function successText(report: Report<'success', StepSuccessRow[]>, context: TextContext): string {
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
    report.data,
  );
  return pageText([
    ...titleLines(`Success Rates by Step (${context.windowText})`, 60),
    ...tableSection(table, 60, 'No steps in this window'),
    heavyRule(60),
    ...findingsSection('FINDINGS', report.findings, context),
  ]);
}

import type { Report, StepAverageRow } from '@convotel/query';
import { millisecondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { leftOutLines } from './left-out.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** How long each step takes: count, average, least and most. */
export function averagesText(report: Report<'averages', StepAverageRow[]>, context: TextContext): string {
  const { data: rows } = report;
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Count', width: 8, align: 'right', gap: 1, cell: (row) => String(row.count) },
      { heading: 'Avg (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.averageMs) },
      { heading: 'Min (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.minMs) },
      { heading: 'Max (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.maxMs) },
    ],
    rows,
  );
  return pageText([
    ...titleLines(`Average Step Durations (${context.windowText})`, 60),
    ...tableSection(table, 60, 'No steps in this window'),
    heavyRule(60),
    ...leftOutLines(rows),
    ...findingsSection('INTERPRETATION', report.findings, context),
  ]);
}

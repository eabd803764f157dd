import type { Report, PercentileName, StepPercentiles } from '@convotel/query';
import { millisecondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { leftOutLines } from './left-out.ts';
import { heavyRule, pageText, tableSection } from './page.ts';
import { arrow } from './paint.ts';
import { layOutTable, pad } from './table.ts';
import type { TextContext } from './text-context.ts';

const ARROWS: Partial<Record<PercentileName, string>> = { p50: 'Median', p99: '99th percentile' };

/** How one step's durations are spread. */
export function percentilesText(report: Report<'percentiles', StepPercentiles>, context: TextContext): string {
  const { data } = report;
  const table = layOutTable(
    [
      { heading: 'Percentile', width: 10, align: 'left', cell: ([name]) => name.toUpperCase() },
      // The numbers end one blank before the heading's end.
      {
        heading: 'Duration (ms)',
        width: 13,
        align: 'right',
        gap: 8,
        cell: ([, value]) => `${millisecondsText(value)} `,
      },
    ],
    Object.entries(data.percentiles) as [PercentileName, number][],
    ([name]) => arrow(ARROWS[name], context),
  );
  return pageText([
    `Duration Percentiles for '${data.step}' Step`,
    heavyRule(60),
    ...tableSection(table, 60, `No completed '${data.step}' step in this window`),
    '',
    `Samples${pad(String(data.count), 23, 'right')}`,
    ...leftOutLines([data]),
    ...findingsSection('INSIGHTS', report.findings, context),
  ]);
}

import type { PercentileName, Report, StepPercentiles } from '@convotel/query';
import { windowCommand } from '../command-line/window-command.ts';
import { arrow } from '../text/marks.ts';
import { findingsSection, heavyRule, leftOutLines, pageText, tableSection } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { pad } from '../text/width.ts';
import { millisecondsText } from '../text/words.ts';

/** `percentiles`: how the durations of one step spread. */
export const command = windowCommand({
  examples: [['convotel percentiles gpt --since 7d', 'how slow the slowest answers are']],
  argument: { name: 'step', description: 'name of the step' },
  since: '168h',
  options: {},
  ask: (query, source, asked) => query.percentiles(source, { ...asked, step: asked.argument }),
  text: percentilesText,
});

const ARROWS: Partial<Record<PercentileName, string>> = { p50: 'Median', p99: '99th percentile' };

/** How one step's durations are spread. */
export function percentilesText(
  { data, findings }: Report<'percentiles', StepPercentiles>,
  context: TextContext,
): string {
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
    ...findingsSection('INSIGHTS', findings, context),
  ]);
}

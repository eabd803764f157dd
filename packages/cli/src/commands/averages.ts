import type { Report, StepAverageRow } from '@convotel/query';
import { windowCommand } from '../command-line/window-command.ts';
import { findingsSection, heavyRule, leftOutLines, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { millisecondsText } from '../text/words.ts';

/** `averages`: how long each step takes. */
export const command = windowCommand({
  examples: [
    ['convotel averages --hours 24', 'the last day'],
    ['convotel averages --since 2025-10-08 --until 2025-10-09', 'one day of the calendar'],
  ],
  since: '24h',
  options: {},
  ask: (query, source, asked) => query.averages(source, asked),
  text: averagesText,
});

/** How long each step takes: count, average, minimum and maximum. */
export function averagesText(
  { data: rows, findings }: Report<'averages', StepAverageRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
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
    ...titleLines(`Average Step Durations (${windowText})`, 60),
    ...tableSection(table, 60, 'No steps in this window'),
    heavyRule(60),
    ...leftOutLines(rows),
    ...findingsSection('INTERPRETATION', findings, context),
  ]);
}

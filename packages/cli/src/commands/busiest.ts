import type { HourOfDayRow, Report } from '@convotel/query';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { barCells, barText } from '../text/graph.ts';
import { arrow, peakOf } from '../text/marks.ts';
import { heavyRule, pageText, tableSection } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `busiest`: at which hours of the day most conversations begin. */
export const command = windowCommand({
  examples: [['convotel busiest --since 30d', 'a month']],
  since: '168h',
  options: GRAPH_OPTION,
  ask: (query, source, asked) => query.busiest(source, asked),
  text: busiestText,
});

/** Most hours of the day that the answer has. */
const MAX_ROWS = 10;

/** What the table takes without bars, with an arrow. */
const TABLE_CELLS = 52;

/** The same as close together as it can stand, with the arrow below. */
const CLOSE_CELLS = 30;

/** Conversations per hour of the day, whatever the day, most first. */
export function busiestText({ data: rows }: Report<'busiest', HourOfDayRow[]>, context: TextContext): string {
  const peak = peakOf(rows);
  const most = Math.max(...rows.map((row) => row.conversations));
  const cells = barCells(TABLE_CELLS, context) ?? barCells(CLOSE_CELLS, context);
  const table = layOutTable(
    [
      { heading: 'Hour', width: 16, align: 'left', cell: (row) => hourOfDayText(row.hourOfDay) },
      { heading: 'Conversations', width: 13, align: 'right', gap: 7, cell: (row) => `${row.conversations} ` },
      ...(cells === undefined
        ? []
        : [
            {
              heading: '',
              width: cells,
              align: 'left',
              gap: 2,
              cell: (row: HourOfDayRow) => barText(row.conversations, most, cells),
            } as const,
          ]),
    ],
    rows,
    context,
    (row) => arrow(row.conversations === peak ? 'Most active' : undefined, context),
  );
  return pageText(
    [
      `Busiest Hours of Day (top ${MAX_ROWS})`,
      heavyRule(60, context),
      ...tableSection(table, 60, 'No conversations in this window', context),
    ],
    context,
  );
}

/** 17 as `05:00 PM`. */
function hourOfDayText(hourOfDay: number): string {
  const hourOnDial = hourOfDay % 12 === 0 ? 12 : hourOfDay % 12;
  return `${String(hourOnDial).padStart(2, '0')}:00 ${hourOfDay < 12 ? 'AM' : 'PM'}`;
}

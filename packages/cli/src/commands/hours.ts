import type { HourRow, Report } from '@convotel/query';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { barCells, barText } from '../text/graph.ts';
import { arrow, peakOf } from '../text/marks.ts';
import { heavyRule, pageText, tableSection } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `hours`: how many conversations began in each hour. */
export const command = windowCommand({
  examples: [['convotel hours --since 7d --tz Europe/Berlin', 'a week, in the hours of Berlin']],
  since: '168h',
  options: GRAPH_OPTION,
  ask: (query, source, asked) => query.hours(source, asked),
  text: hoursText,
});

/** What the table takes without bars, with an arrow. */
const TABLE_CELLS = 50;

/** The same as close together as it can stand, with the arrow below. */
const CLOSE_CELLS = 30;

/** Conversations per clock hour, the fullest marked. */
export function hoursText(
  { data: rows }: Report<'hours', HourRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const peak = peakOf(rows);
  const most = Math.max(...rows.map((row) => row.conversations));
  const cells = barCells(TABLE_CELLS, context) ?? barCells(CLOSE_CELLS, context);
  const table = layOutTable(
    [
      { heading: 'Hour', width: 16, align: 'left', cell: (row) => hourText(row.hour, context) },
      { heading: 'Conversations', width: 13, align: 'right', gap: 7, cell: (row) => String(row.conversations) },
      ...(cells === undefined
        ? []
        : [
            {
              heading: '',
              width: cells,
              align: 'left',
              gap: 2,
              cell: (row: HourRow) => barText(row.conversations, most, cells),
            } as const,
          ]),
    ],
    rows,
    context,
    (row) => arrow(row.conversations === peak ? 'Peak hour' : undefined, context),
  );
  return pageText(
    [
      `Conversations per Hour (${windowText})`,
      heavyRule(60, context),
      ...tableSection(table, 60, 'No conversations in this window', context),
    ],
    context,
  );
}

function hourText(hour: string, context: TextContext): string {
  return context.localTime(hour, 0).slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ');
}

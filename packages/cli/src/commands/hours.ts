import type { HourOfDayRow, HourRow, Report } from '@convotel/query';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { barCells, barText } from '../text/graph.ts';
import { arrow, peakOf, heavyRule, pageText, tableSection } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `hours`: the number of conversations that began in each hour. */
export const hours = windowCommand({
  examples: [['convotel hours --since 7d --tz Europe/Berlin', 'a week, in the hours of Berlin']],
  since: '168h',
  options: GRAPH_OPTION,
  ask: async (source, asked) => {
    const { hours } = await import('@convotel/query');
    return hours(source, asked);
  },
  text: hoursText,
});

/** `busiest`: the hours of the day at which most conversations begin. */
export const busiest = windowCommand({
  examples: [['convotel busiest --since 30d', 'a month']],
  since: '168h',
  options: GRAPH_OPTION,
  ask: async (source, asked) => {
    const { busiest } = await import('@convotel/query');
    return busiest(source, asked);
  },
  text: busiestText,
});

/** Conversations per hour, with a mark at the busiest. */
export function hoursText(
  { data: rows }: Report<'hours', HourRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const hourText = ({ hour }: HourRow): string =>
    context.localTime(hour, 0).slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ');
  const texts = rows.map(hourText);
  // At the end of summer time, clocks show an hour twice: then the offset from UTC tells the two apart.
  const repeated = new Set(texts.filter((text, index) => text === texts[index - 1]));
  return countsText(rows, context, {
    title: `Conversations per Hour (${windowText})`,
    hourText: (row) => {
      const text = hourText(row);
      return repeated.has(text) ? `${text} (${offsetText(row.hour, context)})` : text;
    },
    countText: ({ conversations }) => String(conversations),
    peakText: 'Peak hour',
    tableCells: 50,
  });
}

/** The offset of local time from UTC at `instant`, such as `+05:30`. */
function offsetText(instant: string, context: TextContext): string {
  const minutes = (Date.parse(`${context.localTime(instant, 0)}Z`) - Date.parse(instant)) / 60_000;
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** Maximum number of rows of `busiest`. */
const MAX_HOURS_OF_DAY = 10;

/** Conversations per hour of the day, over all days, busiest first. */
export function busiestText({ data: rows }: Report<'busiest', HourOfDayRow[]>, context: TextContext): string {
  return countsText(rows, context, {
    title: `Busiest Hours of Day (top ${MAX_HOURS_OF_DAY})`,
    hourText: ({ hourOfDay }) => hourOfDayText(hourOfDay),
    // The number is one space left of the end of the heading.
    countText: ({ conversations }) => `${conversations} `,
    peakText: 'Most active',
    tableCells: 52,
  });
}

/** 17 as `05:00 PM`. */
function hourOfDayText(hourOfDay: number): string {
  const hourOnDial = hourOfDay % 12 === 0 ? 12 : hourOfDay % 12;
  return `${String(hourOnDial).padStart(2, '0')}:00 ${hourOfDay < 12 ? 'AM' : 'PM'}`;
}

/** How a table of counts is printed. */
interface CountsPage<Row> {
  title: string;
  hourText: (row: Row) => string;
  countText: (row: Row) => string;
  /** Text of the arrow at the busiest hour. */
  peakText: string;
  /** Width of the table without bars, with an arrow. */
  tableCells: number;
}

/** Minimum width, with the arrow below the row. */
const CLOSE_CELLS = 30;

function countsText<Row extends { conversations: number }>(
  rows: readonly Row[],
  context: TextContext,
  { title, hourText, countText, peakText, tableCells }: CountsPage<Row>,
): string {
  const peak = peakOf(rows);
  const most = Math.max(...rows.map((row) => row.conversations));
  const cells = barCells(tableCells, context) ?? barCells(CLOSE_CELLS, context);
  const columns: Column<Row>[] = [
    { heading: 'Hour', width: 16, align: 'left', cell: hourText },
    { heading: 'Conversations', width: 13, align: 'right', gap: 7, cell: countText },
  ];
  if (cells !== undefined) {
    const cell = (row: Row): string => barText(row.conversations, most, cells);
    columns.push({ heading: '', width: cells, align: 'left', gap: 2, cell });
  }
  const table = layOutTable(columns, rows, context, (row) =>
    arrow(row.conversations === peak ? peakText : undefined, context),
  );
  return pageText(
    [title, heavyRule(60, context), ...tableSection(table, 60, 'No conversations in this window', context)],
    context,
  );
}

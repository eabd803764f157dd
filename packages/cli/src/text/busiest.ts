import type { Report, HourOfDayRow } from '@convotel/query';
import { heavyRule, pageText, tableSection } from './page.ts';
import { arrow } from './paint.ts';
import { peakOf } from './peak-hours.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** Conversations per hour of the day, whatever the day, most first. */
export function busiestText(report: Report<'busiest', HourOfDayRow[]>, context: TextContext): string {
  const { data: rows } = report;
  const peak = peakOf(rows);
  const table = layOutTable(
    [
      { heading: 'Hour', width: 16, align: 'left', cell: (row) => hourOfDayText(row.hourOfDay) },
      { heading: 'Conversations', width: 13, align: 'right', gap: 7, cell: (row) => `${row.conversations} ` },
    ],
    rows,
    (row) => arrow(row.conversations === peak ? 'Most active' : undefined, context),
  );
  return pageText([
    `Busiest Hours of Day (top ${context.limit ?? 10})`,
    heavyRule(60),
    ...tableSection(table, 60, 'No conversations in this window'),
  ]);
}

/** 17 as `05:00 PM`. */
function hourOfDayText(hourOfDay: number): string {
  const hourOnDial = hourOfDay % 12 === 0 ? 12 : hourOfDay % 12;
  return `${String(hourOnDial).padStart(2, '0')}:00 ${hourOfDay < 12 ? 'AM' : 'PM'}`;
}

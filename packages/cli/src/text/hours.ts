import type { Report, HourRow } from '@convotel/query';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection } from './page.ts';
import { arrow } from './paint.ts';
import { peakOf } from './peak-hours.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

const MINUTES_END = 'YYYY-MM-DDTHH:MM'.length;

/** Conversations per clock hour, the fullest marked. */
export function hoursText(report: Report<'hours', HourRow[]>, context: TextContext): string {
  const { data: rows, window } = report;
  const peak = peakOf(rows);
  const table = layOutTable(
    [
      { heading: 'Hour', width: 16, align: 'left', cell: (row) => hourText(row.hour, window.timeZone) },
      { heading: 'Conversations', width: 13, align: 'right', gap: 7, cell: (row) => String(row.conversations) },
    ],
    rows,
    (row) => arrow(row.conversations === peak ? 'Peak hour' : undefined, context),
  );
  return pageText([
    `Conversations per Hour (${context.windowText})`,
    heavyRule(60),
    ...tableSection(table, 60, 'No conversations in this window'),
  ]);
}

function hourText(hour: string, timeZone: string): string {
  return localTimeText(hour, timeZone, 0).slice(0, MINUTES_END).replace('T', ' ');
}

import type { Report, SessionRow } from '@convotel/query';
import { LIMIT_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { secondsText } from '../text/words.ts';

/** `sessions`: phone calls, chat threads, a robot's days. */
export const command = windowCommand({
  examples: [['convotel sessions --since 7d', 'the newest ten of the last week']],
  since: '24h',
  options: LIMIT_OPTION,
  ask: (query, source, asked) => query.sessions(source, { ...asked, limit: asked.options.limit }),
  text: sessionsText,
});

/** The sessions, the newest first; what was spent on tokens only where steps say so. */
export function sessionsText(
  { data: rows }: Report<'sessions', SessionRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const columns: Column<SessionRow>[] = [
    { heading: 'Session ID', width: 18, align: 'left', cell: (row) => row.sessionId },
    { heading: 'Start Time', width: 19, align: 'left', gap: 1, cell: (row) => context.localTime(row.startTime, 0) },
    { heading: 'Conv.', width: 5, align: 'right', gap: 1, cell: (row) => String(row.conversations) },
    { heading: 'Spoken (s)', width: 10, align: 'right', gap: 1, cell: (row) => secondsText(row.spokenMs) },
    { heading: 'Failed', width: 6, align: 'right', gap: 1, cell: (row) => String(row.failures) },
    { heading: 'Interr.', width: 7, align: 'right', gap: 1, cell: (row) => String(row.interruptions) },
  ];
  if (rows.some((row) => row.inputTokens !== undefined || row.outputTokens !== undefined)) {
    columns.push({ heading: 'Tokens', width: 8, align: 'right', gap: 1, cell: tokensText });
  }
  return pageText(
    [
      ...titleLines(`Sessions (${windowText})`, 80, context),
      ...tableSection(layOutTable(columns, rows, context), 80, 'No sessions in this window', context),
      heavyRule(80, context),
    ],
    context,
  );
}

function tokensText({ inputTokens, outputTokens }: SessionRow): string {
  return inputTokens === undefined && outputTokens === undefined
    ? '-'
    : String((inputTokens ?? 0) + (outputTokens ?? 0));
}

import type { ConversationRow, Report } from '@convotel/query';
import { answerCommand } from '../command-line/answer-command.ts';
import { FILTER_OPTIONS, filtersOf, LIMIT_OPTION, WIDE_OPTION, windowOptions } from '../command-line/shared-options.ts';
import { heavyRule, pageText, tableSection, titleLines, outcomeText, secondsText } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { isWideTable, layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

const BEGINNING_OF_TIME = '1970-01-01T00:00:00Z';

/** `recent`: the newest conversations, including open ones; of all time unless a window is given. */
export const command = answerCommand({
  examples: [
    ['convotel recent', 'the newest ten'],
    ['convotel recent --limit 5 --outcome failed', 'the newest five that failed'],
  ],
  options: {
    ...LIMIT_OPTION,
    ...WIDE_OPTION,
    ...windowOptions('everything'),
    ...FILTER_OPTIONS,
  },
  prepare: async (call) => {
    const { since, until, hours, limit, wide } = call.options;
    const asked = { timeZone: call.timeZone, filters: filtersOf(call.options), limit, wide };
    if (since === undefined && until === undefined && hours === undefined) return asked;
    const { resolveWindow } = await import('../command-line/window.ts');
    return { ...asked, window: resolveWindow({ since, until, hours }, BEGINNING_OF_TIME, call).window };
  },
  ask: async (source, asked) => {
    const { recent } = await import('@convotel/query');
    return recent(source, asked);
  },
  text: (report, context, asked) => recentText(report, context, asked),
});

/** The newest conversations. One that has not ended yet is shown as `open`. */
export function recentText(
  { data: rows }: Report<'recent', ConversationRow[]>,
  context: TextContext,
  { limit, wide }: { limit: number; wide: boolean },
): string {
  const narrow: Column<ConversationRow>[] = [
    { heading: 'Conversation ID', width: 30, align: 'left', cell: (row) => row.conversationId },
    { heading: 'Start Time', width: 26, align: 'left', gap: 1, cell: (row) => context.localTime(row.startTime, 6) },
  ];
  const wider: Column<ConversationRow>[] = [
    ...narrow,
    { heading: 'Duration', width: 8, align: 'right', gap: 2, cell: (row) => clockText(row.durationMs) },
    { heading: 'Response', width: 8, align: 'right', gap: 2, cell: (row) => clockText(row.responseMs) },
    { heading: 'Outcome', width: 11, align: 'left', gap: 2, cell: (row) => outcomeText(row.outcome) },
    { heading: 'Workflow', width: 8, align: 'left', gap: 2, cell: (row) => row.workflow ?? '-' },
  ];
  const isWide = isWideTable(wider, rows, wide, context);
  const columns = isWide ? wider : narrow;
  const table = layOutTable(columns, rows, context, (row) => (!isWide && row.outcome === 'open' ? '  open' : ''));
  return pageText(
    [
      ...titleLines(`Recent Conversations (last ${limit})`, 80, context),
      ...tableSection(table, 80, 'No conversations found', context),
      heavyRule(80, context),
    ],
    context,
  );
}

function clockText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : `${secondsText(milliseconds)}s`;
}

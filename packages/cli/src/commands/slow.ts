import { THRESHOLD } from '@convotel/conventions';
import type { Report, ConversationRow } from '@convotel/query';
import { durationMs } from '../values.ts';
import { choice, option } from '../command-line/command.ts';
import { LIMIT_OPTION, TARGET_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines, secondsText } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `slow`: the conversations that made users wait longest. */
export const command = windowCommand({
  examples: [['convotel slow --threshold 8s -n 5', 'the five slowest above eight seconds']],
  since: '24h',
  options: {
    threshold: option(durationMs, {
      placeholder: 'time',
      description: 'only conversations above it (8s; a bare number is milliseconds)',
      default: `${THRESHOLD.targetMs / 1000}s`,
      setting: ({ conversation }) => conversation?.threshold,
    }),
    by: choice(['duration', 'response'], {
      placeholder: 'what',
      description: 'what is compared: how long it lasted, or how long the user waited for an answer',
      defaultText: 'duration',
    }),
    ...LIMIT_OPTION,
    ...TARGET_OPTION,
  },
  ask: async (source, asked) => {
    const { slow } = await import('@convotel/query');
    const { threshold, by, limit, target } = asked.options;
    return slow(source, { ...asked, thresholdMs: threshold, by, limit, targetMs: target });
  },
  text: (report, context, { windowText, options }) =>
    slowText(report, context, { windowText, thresholdMs: options.threshold, by: options.by }),
});

/** The conversations above the threshold with the longest duration or the longest wait for an answer. */
export function slowText(
  { data: rows, findings }: Report<'slow', ConversationRow[]>,
  context: TextContext,
  {
    windowText,
    thresholdMs,
    by,
  }: { windowText: string; thresholdMs: number; by?: 'duration' | 'response' | undefined },
): string {
  const isByResponse = by === 'response';
  const response: Column<ConversationRow> = {
    heading: 'Response (s)',
    width: 12,
    align: 'right',
    gap: 2,
    cell: (row) => (row.responseMs === undefined ? '-' : secondsText(row.responseMs)),
  };
  const table = layOutTable<ConversationRow>(
    [
      { heading: 'Conversation ID', width: 32, align: 'left', cell: (row) => row.conversationId },
      ...(isByResponse ? [response] : []),
      { heading: 'Duration (s)', width: 12, align: 'right', gap: 2, cell: (row) => secondsText(row.durationMs) },
      // The number is one space left of the end of the heading.
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      { heading: 'Start Time', width: 19, align: 'left', gap: 2, cell: (row) => context.localTime(row.startTime, 0) },
    ],
    rows,
    context,
  );
  return pageText(
    [
      ...titleLines(`Slowest ${isByResponse ? 'Responses' : 'Conversations'} (>${thresholdMs}ms)`, 80, context),
      ...tableSection(
        table,
        80,
        `No ${isByResponse ? 'response' : 'conversation'} took more than ${thresholdMs}ms (${windowText})`,
        context,
      ),
      heavyRule(80, context),
      ...findingsSection('ACTION ITEMS', findings, context),
    ],
    context,
  );
}

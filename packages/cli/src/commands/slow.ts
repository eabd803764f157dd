import { THRESHOLD } from '@convotel/conventions';
import type { Report, ConversationRow } from '@convotel/query';
import { durationMs } from '../values/duration.ts';
import { option } from '../command-line/options.ts';
import { LIMIT_OPTION, TARGET_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { secondsText } from '../text/words.ts';

/** `slow`: the conversations that made users wait longest. */
export const command = windowCommand({
  examples: [['convotel slow --threshold 8s -n 5', 'the five slowest above eight seconds']],
  since: '24h',
  options: {
    threshold: option(durationMs, {
      placeholder: 'time',
      description: 'only conversations above it (8s; a bare number is milliseconds)',
      default: `${THRESHOLD.slowMs / 1000}s`,
      setting: ({ conversation }) => conversation?.threshold,
    }),
    ...LIMIT_OPTION,
    ...TARGET_OPTION,
  },
  ask: (query, source, asked) => {
    const { threshold, limit, target } = asked.options;
    return query.slow(source, { ...asked, thresholdMs: threshold, limit, targetMs: target });
  },
  text: (report, context, { windowText, options }) =>
    slowText(report, context, { windowText, thresholdMs: options.threshold }),
});

/** The slowest conversations above the threshold; the duration is that of their completed steps. */
export function slowText(
  { data: rows, findings }: Report<'slow', ConversationRow[]>,
  context: TextContext,
  { windowText, thresholdMs }: { windowText: string; thresholdMs: number },
): string {
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 32, align: 'left', cell: (row) => row.conversationId },
      { heading: 'Duration (s)', width: 12, align: 'right', gap: 2, cell: (row) => secondsText(row.durationMs) },
      // The number stands one blank left of the heading's end.
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      { heading: 'Start Time', width: 19, align: 'left', gap: 2, cell: (row) => context.localTime(row.startTime, 0) },
    ],
    rows,
    context,
  );
  return pageText(
    [
      ...titleLines(`Slowest Conversations (>${thresholdMs}ms)`, 80, context),
      ...tableSection(table, 80, `No conversation took more than ${thresholdMs}ms (${windowText})`, context),
      heavyRule(80, context),
      ...findingsSection('ACTION ITEMS', findings, context),
    ],
    context,
  );
}

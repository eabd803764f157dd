import { THRESHOLD } from '@convotel/conventions';
import type { Report, SlowConversationRow } from '@convotel/query';
import { secondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** The slowest conversations above the threshold; the duration is that of their completed steps. */
export function slowText(report: Report<'slow', SlowConversationRow[]>, context: TextContext): string {
  const { data: rows, window } = report;
  const thresholdMs = context.thresholdMs ?? THRESHOLD.slowMs;
  const table = layOutTable(
    [
      { heading: 'Conversation ID', width: 32, align: 'left', cell: (row) => row.conversationId },
      { heading: 'Duration (s)', width: 12, align: 'right', gap: 2, cell: (row) => secondsText(row.completedMs) },
      // The number stands one blank left of the heading's end.
      { heading: 'Steps', width: 5, align: 'right', gap: 2, cell: (row) => `${row.stepCount} ` },
      {
        heading: 'Start Time',
        width: 19,
        align: 'left',
        gap: 2,
        cell: (row) => localTimeText(row.startTime, window.timeZone, 0),
      },
    ],
    rows,
  );
  return pageText([
    ...titleLines(`Slowest Conversations (>${thresholdMs}ms)`, 80),
    ...tableSection(table, 80, `No conversation took more than ${thresholdMs}ms (${context.windowText})`),
    heavyRule(80),
    ...findingsSection('ACTION ITEMS', report.findings, context),
  ]);
}

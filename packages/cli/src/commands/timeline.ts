import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { conversationHeadLines, stepLabel } from '../text/conversation-head.ts';
import { outcomeMark } from '../text/marks.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { secondsText } from '../text/words.ts';

/** `timeline`: when each step of one conversation ran. */
export const command = conversationCommand({
  examples: [['convotel timeline 20251008_143022_a1b2c3d4', 'the steps on one axis']],
  ask: (query, source, asked) => query.timeline(source, asked),
  text: timelineText,
});

const AXIS_CELLS = 40;

/** One conversation's steps as bars on one axis, which runs from its start to its end. */
export function timelineText(
  { data: detail, findings }: Report<'timeline', ConversationDetail>,
  context: TextContext,
): string {
  const table = layOutTable(
    [
      {
        heading: '  Step',
        width: 14,
        align: 'left',
        cell: (step) => `${outcomeMark(step.outcome, context)} ${stepLabel(step)}`,
      },
      { heading: 'At (s)', width: 7, align: 'right', gap: 1, cell: (step) => secondsText(step.offsetMs ?? 0) },
      { heading: 'For (s)', width: 7, align: 'right', gap: 1, cell: (step) => secondsText(step.durationMs) },
      {
        heading: axisHeading(detail.wallMs),
        width: AXIS_CELLS + 2,
        align: 'left',
        gap: 2,
        cell: (step) => bar(step, detail.wallMs),
      },
    ],
    detail.steps,
  );
  return pageText([
    ...titleLines(`Timeline: ${detail.conversationId}`, 80),
    ...conversationHeadLines(detail, context),
    '',
    ...tableSection(table, 80, 'No steps'),
    heavyRule(80),
    ...findingsSection('KEY INSIGHTS', findings, context),
  ]);
}

/** ` 0s` at the left end of the axis and the wall clock at its right end. */
function axisHeading(wallMs: number): string {
  const end = `${secondsText(wallMs)}s`;
  return ` 0s${end.padStart(AXIS_CELLS - 2)}`;
}

/** The step's stretch of the axis between two bounds; at least one cell, so that a short step is seen. */
function bar(step: StepRow, wallMs: number): string {
  const cellsAt = (milliseconds: number): number => (wallMs > 0 ? (milliseconds / wallMs) * AXIS_CELLS : 0);
  const offsetMs = step.offsetMs ?? 0;
  const first = Math.min(Math.floor(cellsAt(offsetMs)), AXIS_CELLS - 1);
  const end = Math.min(Math.max(Math.round(cellsAt(offsetMs + step.durationMs)), first + 1), AXIS_CELLS);
  return `|${' '.repeat(first)}${'█'.repeat(end - first)}${' '.repeat(AXIS_CELLS - end)}|`;
}

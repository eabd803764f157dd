import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { conversationHeadLines, stepLabel } from '../text/conversation-head.ts';
import { outcomeMark } from '../text/marks.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable, tableWidth } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { secondsText } from '../text/words.ts';

/** `timeline`: when each step of one conversation ran. */
export const command = conversationCommand({
  examples: [['convotel timeline 20251008_143022_a1b2c3d4', 'the steps on one axis']],
  ask: (query, source, asked) => query.timeline(source, asked),
  text: timelineText,
});

/** Cells of the axis where the output is not a terminal. */
const AXIS_CELLS = 40;
const MIN_AXIS_CELLS = 10;
const MAX_AXIS_CELLS = 60;

/** One conversation's steps as bars on one axis, which runs from its start to its end. */
export function timelineText(
  { data: detail, findings }: Report<'timeline', ConversationDetail>,
  context: TextContext,
): string {
  const labelled: Column<StepRow>[] = [
    {
      heading: '  Step',
      width: 14,
      align: 'left',
      cell: (step) => `${outcomeMark(step.outcome, context)} ${stepLabel(step)}`,
    },
    { heading: 'At (s)', width: 7, align: 'right', gap: 1, cell: (step) => secondsText(step.offsetMs ?? 0) },
    { heading: 'For (s)', width: 7, align: 'right', gap: 1, cell: (step) => secondsText(step.durationMs) },
  ];
  const labelWidth = tableWidth(labelled, detail.steps);
  const besideLabels = (context.columns ?? 0) - labelWidth - 4;
  const isBelow = context.columns !== undefined && besideLabels < MIN_AXIS_CELLS;
  const room = isBelow ? (context.columns ?? 0) - 4 : besideLabels;
  const cells = context.columns === undefined ? AXIS_CELLS : Math.min(room, MAX_AXIS_CELLS);
  const axis: Column<StepRow> = {
    heading: axisHeading(detail.wallMs, cells),
    width: cells + 2,
    align: 'left',
    gap: 2,
    cell: (step) => bar(step, detail.wallMs, cells),
  };
  const table = isBelow
    ? layOutTable(labelled, detail.steps, context, (step) => `\n  ${bar(step, detail.wallMs, cells)}`)
    : layOutTable([...labelled, axis], detail.steps, context);
  return pageText(
    [
      ...titleLines(`Timeline: ${detail.conversationId}`, 80, context),
      ...conversationHeadLines(detail, context),
      '',
      ...tableSection(table, 80, 'No steps', context),
      heavyRule(80, context),
      ...findingsSection('KEY INSIGHTS', findings, context),
    ],
    context,
  );
}

/** ` 0s` at the left end of the axis and the length of the conversation at its right end. */
function axisHeading(wallMs: number, cells: number): string {
  const end = `${secondsText(wallMs)}s`;
  return ` 0s${end.padStart(cells - 2)}`;
}

/** The step's stretch of the axis between two bounds; at least one cell, so that a short step is seen. */
function bar(step: StepRow, wallMs: number, cells: number): string {
  const cellsAt = (milliseconds: number): number => (wallMs > 0 ? (milliseconds / wallMs) * cells : 0);
  const offsetMs = step.offsetMs ?? 0;
  const first = Math.min(Math.floor(cellsAt(offsetMs)), cells - 1);
  const end = Math.min(Math.max(Math.round(cellsAt(offsetMs + step.durationMs)), first + 1), cells);
  return `|${' '.repeat(first)}${'█'.repeat(end - first)}${' '.repeat(cells - end)}|`;
}

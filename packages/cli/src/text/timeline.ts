import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationHeadLines } from './conversation-head.ts';
import { secondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { outcomeMark } from './paint.ts';
import { stepLabel } from './step-label.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

const AXIS_CELLS = 40;

/** One conversation's steps as bars on one axis, which runs from its start to its end. */
export function timelineText(report: Report<'timeline', ConversationDetail>, context: TextContext): string {
  const { data: detail, window } = report;
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
    ...conversationHeadLines(detail, window.timeZone),
    '',
    ...tableSection(table, 80, 'No steps'),
    heavyRule(80),
    ...findingsSection('KEY INSIGHTS', report.findings, context),
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

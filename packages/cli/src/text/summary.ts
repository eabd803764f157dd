import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import stringWidth from 'string-width';
import { conversationHeadLines, outcomeText } from './conversation-head.ts';
import { millisecondsText, secondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { heavyRule, lightRule, pageText, titleLines } from './page.ts';
import { arrow, outcomeMark } from './paint.ts';
import { stepLabel } from './step-label.ts';
import { pad } from './table.ts';
import type { TextContext } from './text-context.ts';

const LEAST_NAME_WIDTH = 12;

/** One conversation: when, how long, and each step's part in it. */
export function summaryText(report: Report<'summary', ConversationDetail>, context: TextContext): string {
  const { data: detail, findings, window } = report;
  const bottlenecks = new Set(
    findings.filter((finding) => finding.rule === 'bottleneck-step').map((finding) => finding.evidence['step']),
  );
  const nameWidth = detail.steps.reduce(
    (widest, step) => Math.max(widest, stringWidth(stepLabel(step))),
    LEAST_NAME_WIDTH,
  );
  const isMarked = (step: StepRow): boolean => step.depth === 0 && bottlenecks.has(step.step);
  return pageText([
    ...titleLines(`Conversation: ${detail.conversationId}`, 60),
    ...conversationHeadLines(detail, window.timeZone),
    '',
    'Step Breakdown:',
    lightRule(60),
    ...detail.steps.map(
      (step) =>
        stepLine(step, nameWidth, context) +
        arrow(
          isMarked(step) ? `${((step.durationMs / detail.totalMs) * 100).toFixed(0)}% of total time` : undefined,
          context,
        ),
    ),
    ...(detail.steps.length === 0 ? ['  No steps'] : []),
    heavyRule(60),
    ...findingsSection('KEY INSIGHTS', findings, context),
  ]);
}

function stepLine(step: StepRow, nameWidth: number, context: TextContext): string {
  const name = pad(stepLabel(step), nameWidth, 'left');
  const seconds = pad(secondsText(step.durationMs), 6, 'right');
  const milliseconds = pad(millisecondsText(step.durationMs), 6, 'right');
  const ending = step.outcome === 'completed' ? '' : `  ${outcomeText(step.outcome)}`;
  return `  ${outcomeMark(step.outcome, context)} ${name}: ${seconds}s (${milliseconds}ms)${ending}`;
}

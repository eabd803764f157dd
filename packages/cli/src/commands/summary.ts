import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import {
  conversationHeadLines,
  stepLabel,
  arrow,
  outcomeMark,
  findingsSection,
  heavyRule,
  lightRule,
  pageText,
  titleLines,
  millisecondsText,
  outcomeText,
  secondsText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { displayWidth, pad } from '../text/table.ts';

/** `summary`: where the time of one conversation went. */
export const command = conversationCommand({
  examples: [['convotel summary 20251008_143022_a1b2c3d4', 'the steps of one conversation']],
  options: {},
  ask: async (source, asked) => {
    const { summary } = await import('@convotel/query');
    return summary(source, asked);
  },
  text: summaryText,
});

const MIN_NAME_WIDTH = 12;

/** One conversation: its times, and the share of each step. */
export function summaryText(
  { data: detail, findings }: Report<'summary', ConversationDetail>,
  context: TextContext,
): string {
  const bottlenecks = new Set(
    findings.filter((finding) => finding.rule === 'bottleneck-step').map((finding) => finding.evidence['step']),
  );
  const shareText = (step: StepRow): string | undefined =>
    step.depth === 0 && bottlenecks.has(step.step)
      ? `${((step.durationMs / detail.durationMs) * 100).toFixed(0)}% of total time`
      : undefined;
  const nameWidth = detail.steps.reduce(
    (width, step) => Math.max(width, displayWidth(stepLabel(step))),
    MIN_NAME_WIDTH,
  );
  return pageText(
    [
      ...titleLines(`Conversation: ${detail.conversationId}`, 60, context),
      ...conversationHeadLines(detail, context),
      '',
      'Step Breakdown:',
      lightRule(60, context),
      ...detail.steps.map((step) => stepLine(step, nameWidth, context) + arrow(shareText(step), context)),
      ...(detail.steps.length === 0 ? ['  No steps'] : []),
      heavyRule(60, context),
      ...findingsSection('KEY INSIGHTS', findings, context),
    ],
    context,
  );
}

function stepLine(step: StepRow, nameWidth: number, context: TextContext): string {
  const name = pad(stepLabel(step), nameWidth, 'left');
  const seconds = pad(secondsText(step.durationMs), 6, 'right');
  const milliseconds = pad(millisecondsText(step.durationMs), 6, 'right');
  const ending = step.outcome === 'completed' ? '' : `  ${outcomeText(step.outcome)}`;
  return `  ${outcomeMark(step.outcome, context)} ${name}: ${seconds}s (${milliseconds}ms)${ending}`;
}

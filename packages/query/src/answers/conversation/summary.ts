import { STEP_WARNING_MS, stepKindOf } from '@convotel/conventions';
import { findAll, findingRule, roughDurationWords, secondsWords, stepDisplayName } from '../../findings/finding.ts';
import type { ConversationSource } from '../../questions.ts';
import { buildReport } from '../report.ts';
import type { Report } from '../report.ts';
import { getConversation } from './conversation-detail.ts';
import type { ConversationDetail, OneConversationOptions } from './conversation-detail.ts';
import {
  allStepsCompleted,
  bottleneckStep,
  exchangesInOne,
  unattributedTime,
  unsuccessfulStep,
  wholeSession,
} from './step-findings.ts';

/**
 * The duration of one conversation and of each of its steps, with their share of the total.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` if the source cannot answer.
 */
export async function summary(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<Report<'summary', ConversationDetail>> {
  const { detail, coverage, targetMs } = await getConversation(source, options);
  const { timeZone } = options;
  const findings = findAll(summaryRules, { detail, targetMs });
  return buildReport({ command: 'summary', source, timeZone, coverage, data: detail, findings });
}

/** Input of the finding rules of `summary`. */
export interface SummaryFacts {
  detail: ConversationDetail;
  /** A shorter conversation meets the target, in milliseconds. */
  targetMs: number;
}

/** The wall-clock duration of the conversation. */
export const totalDuration = findingRule('total-duration', ({ detail }: SummaryFacts) => {
  const { durationMs, stepSumMs, outcome } = detail;
  if (detail.steps.length === 0) return [];
  const total = `${twoDecimals(durationMs)} seconds`;
  const text = outcome === 'open' ? `Conversation has taken ${total} so far` : `Total conversation took ${total}`;
  return [{ severity: 'info', text, evidence: { durationMs, stepSumMs } }];
});

/** Each completed step that took longer than the warning threshold of its kind. */
export const slowStep = findingRule('slow-step', ({ detail }: SummaryFacts) =>
  detail.steps.flatMap(({ step, durationMs, outcome }) => {
    const warningMs = STEP_WARNING_MS[stepKindOf(step)];
    if (warningMs === undefined || outcome !== 'completed' || durationMs <= warningMs) return [];
    const name = stepDisplayName(step, 'opening');
    const text = `${name} step took ${roughDurationWords(durationMs)}, a warning sign (over ${secondsWords(warningMs)}s)`;
    return { severity: 'warning' as const, text, evidence: { step, durationMs, warningMs } };
  }),
);

/** The duration is not below the target. */
export const overTarget = findingRule('over-target', ({ detail, targetMs }: SummaryFacts) => {
  const { durationMs } = detail;
  if (durationMs < targetMs || exchangesInOne(detail) !== undefined) return [];
  const overMs = durationMs - targetMs;
  const text = `Total is ${twoDecimals(overMs)} seconds over the target of ${secondsWords(targetMs)} seconds`;
  return [{ severity: 'warning', text, evidence: { durationMs, targetMs, overMs } }];
});

/** The conversation is a good baseline for later ones: it and all its steps completed, within the target. */
export const goodBaseline = findingRule('good-baseline', ({ detail, targetMs }: SummaryFacts) => {
  const { steps, outcome, durationMs } = detail;
  if (exchangesInOne(detail) !== undefined) return [];
  const isComplete = outcome === 'completed' && steps.length > 0 && steps.every((step) => step.outcome === 'completed');
  if (!isComplete || durationMs >= targetMs) return [];
  return [{ severity: 'good', text: 'Good baseline for optimization', evidence: { durationMs, targetMs } }];
});

/** The findings of `summary`, in the order in which they are printed. */
export const summaryRules = [
  totalDuration,
  wholeSession,
  bottleneckStep,
  allStepsCompleted,
  unsuccessfulStep,
  slowStep,
  unattributedTime,
  overTarget,
  goodBaseline,
];

/** Milliseconds as seconds with two decimals. */
function twoDecimals(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}

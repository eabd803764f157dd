import { isFailure, STEP_WARNING_MS, stepKindOf } from '@convotel/conventions';
import {
  findAll,
  findingRule,
  nameList,
  phrasesOf,
  roughDurationWords,
  secondsWords,
  stepDisplayName,
} from '../../findings/finding.ts';
import type { Answer } from '../../model/coverage.ts';
import { orderSteps } from '../../model/order.ts';
import type { ConversationSource, StepDurations } from '../../questions.ts';
import { firstOffsetsByRow } from '../compare/compared-sides.ts';
import { buildReport, coverageOfSameSpans } from '../report.ts';
import type { Report } from '../report.ts';
import { getConversation, stepOffsetsMs } from './conversation-detail.ts';
import type { ConversationDetail, OneConversationOptions } from './conversation-detail.ts';
import {
  allStepsCompleted,
  bottleneckStep,
  exchangesInOne,
  outermostSteps,
  unattributedTime,
  unsuccessfulStep,
  wholeSession,
} from './step-findings.ts';

/**
 * What one conversation took, in all and in each step, and each step's share of the total.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
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

/** What the rules of `summary` look at. */
export interface SummaryFacts {
  detail: ConversationDetail;
  /** A conversation with a duration below it meets the target. */
  targetMs: number;
}

/** How long the conversation took by the clock. */
export const totalDuration = findingRule('total-duration', ({ detail }: SummaryFacts) => {
  const { durationMs, stepSumMs, outcome } = detail;
  if (detail.steps.length === 0) return [];
  const total = `${twoDecimals(durationMs)} seconds`;
  const text = outcome === 'open' ? `Conversation has taken ${total} so far` : `Total conversation took ${total}`;
  return [{ severity: 'info', text, evidence: { durationMs, stepSumMs } }];
});

/** Each completed step that took longer than the warning sign of its kind. */
export const slowStep = findingRule('slow-step', ({ detail }: SummaryFacts) =>
  detail.steps.flatMap(({ step, durationMs, outcome }) => {
    const warningMs = STEP_WARNING_MS[stepKindOf(step)];
    if (warningMs === undefined || outcome !== 'completed' || durationMs <= warningMs) return [];
    const name = stepDisplayName(step, 'opening');
    const text = `${name} step took ${roughDurationWords(durationMs)}, a warning sign (over ${secondsWords(warningMs)}s)`;
    return { severity: 'warning' as const, text, evidence: { step, durationMs, warningMs } };
  }),
);

/** The duration is not below the target, which is one for a single exchange. */
export const overTarget = findingRule('over-target', ({ detail, targetMs }: SummaryFacts) => {
  const { durationMs } = detail;
  if (durationMs < targetMs || exchangesInOne(detail) !== undefined) return [];
  const overMs = durationMs - targetMs;
  const text = `Total is ${twoDecimals(overMs)} seconds over the target of ${secondsWords(targetMs)} seconds`;
  return [{ severity: 'warning', text, evidence: { durationMs, targetMs, overMs } }];
});

/** A conversation to compare later ones with: it and all of its steps completed, and its total is below the target. */
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

/**
 * One conversation as `summary` has it, every step with `offsetMs`: its start − the conversation's start.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function timeline(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<Report<'timeline', ConversationDetail>> {
  const { detail, spans, coverage } = await getConversation(source, options);
  const { timeZone } = options;
  const offsetsMs = stepOffsetsMs(spans);
  const data = { ...detail, steps: detail.steps.map((step, index) => ({ ...step, offsetMs: offsetsMs[index]! })) };
  const findings = findAll(timelineRules, { detail: data });
  return buildReport({ command: 'timeline', source, timeZone, coverage, data, findings });
}

/** The findings of `timeline`, in the order in which they are printed. */
export const timelineRules = [bottleneckStep, unattributedTime];

/** How many of the newest conversations say which steps a conversation should have had. */
const CONVERSATIONS_COMPARED = 50;

/**
 * One conversation as `summary` has it; the findings also know which steps it did not get to.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function trace(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<Report<'trace', ConversationDetail>> {
  const { detail, coverage } = await getConversation(source, options);
  const missing = detail.outcome === 'completed' ? undefined : await findMissingSteps(source, detail);
  return buildReport({
    command: 'trace',
    source,
    timeZone: options.timeZone,
    coverage: missing === undefined ? coverage : coverageOfSameSpans(coverage, missing.coverage),
    data: detail,
    findings: findAll(traceRules, { detail, missingSteps: missing?.data ?? [] }),
  });
}

async function findMissingSteps(source: ConversationSource, detail: ConversationDetail): Promise<Answer<string[]>> {
  const newest = await source.ask({ name: 'conversations', order: 'newest', limit: CONVERSATIONS_COMPARED });
  const starts = newest.data.map((conversation) => conversation.startTimeUnixNano);
  if (starts.length === 0) return { data: [], coverage: newest.coverage };
  const window = {
    sinceUnixNano: starts.reduce((a, b) => (b < a ? b : a)),
    // A window ends before its last instant.
    untilUnixNano: starts.reduce((a, b) => (b > a ? b : a)) + 1n,
  };
  const durations = await source.ask({ name: 'step-durations', window });
  const reached = new Set(detail.steps.map(({ step }) => step));
  const compared = new Set(newest.data.map(({ traceId }) => traceId));
  return {
    data: missingStepsOf(reached, durations.data, compared),
    coverage: coverageOfSameSpans(newest.coverage, durations.coverage),
  };
}

/**
 * The steps that a conversation did not get to: those that more than half of the conversations compared with have, and
 * that come after the last one of `reachedSteps` in their step order. In that order.
 *
 * Nothing is missing where none of the reached steps is known to the others: that is another pipeline.
 *
 * @param durations holds the conversations compared with
 * @param comparedTraceIds the newest 50 conversations; other rows of `durations` do not count
 */
export function missingStepsOf(
  reachedSteps: ReadonlySet<string>,
  durations: StepDurations,
  comparedTraceIds: ReadonlySet<string>,
): string[] {
  const compared = firstOffsetsByRow(durations).filter((_offsets, row) =>
    comparedTraceIds.has(durations.traceIds[row]!),
  );
  const inOrder = orderSteps(compared);
  const lastReached = inOrder.findLastIndex((step) => reachedSteps.has(step));
  if (lastReached === -1 && reachedSteps.size > 0) return [];
  return inOrder
    .slice(lastReached + 1)
    .filter((step) => compared.filter((offsets) => offsets.has(step)).length * 2 > compared.length);
}

/** What the rules of `trace` look at. */
export interface TraceFacts {
  detail: ConversationDetail;
  /** Steps that most of the newest 50 conversations have after the last one that this one reached, in step order. */
  missingSteps: string[];
}

/** How far a conversation got that did not complete: its last step that did. */
export const conversationEnding = findingRule('conversation-ending', ({ detail }: Pick<TraceFacts, 'detail'>) => {
  const { outcome } = detail;
  if (outcome === 'completed') return [];
  const last = outermostSteps(detail).findLast((step) => step.outcome === 'completed')?.step;
  const evidence = { outcome, ...(last === undefined ? {} : { lastCompleted: last }) };
  if (outcome === 'open') {
    const progress = last === undefined ? 'no step has completed' : `${stepDisplayName(last)} completed last`;
    return [{ severity: 'info', text: `Conversation has not ended yet: ${progress}`, evidence }];
  }
  const where =
    last === undefined ? 'before any step completed' : `after ${stepDisplayName(last)} completed successfully`;
  const severity = outcome === 'interrupted' ? 'info' : 'problem';
  return [{ severity, text: `Conversation ${ENDING_WORDS[outcome]} ${where}`, evidence }];
});

const ENDING_WORDS = {
  failed: 'failed',
  timed_out: 'timed out',
  abandoned: 'was abandoned',
  interrupted: 'was interrupted',
} as const;

/** Steps that conversations usually have after the last one that this one reached. */
export const missingSteps = findingRule('missing-steps', ({ detail, missingSteps: missing }: TraceFacts) => {
  if (missing.length === 0 || detail.outcome === 'completed') return [];
  const names = nameList(
    missing.map((step) => stepDisplayName(step)),
    'or',
  );
  const text = `No ${names} ${missing.length === 1 ? 'step' : 'steps'} ${MISSING_BECAUSE[detail.outcome]}`;
  return [{ severity: 'info', text, evidence: { missingSteps: missing } }];
});

const MISSING_BECAUSE = {
  failed: '(conversation aborted)',
  timed_out: '(conversation timed out)',
  abandoned: '(conversation abandoned)',
  interrupted: '(conversation interrupted)',
  open: 'so far',
} as const;

/** What the user noticed of the steps that a failed conversation never got to. */
export const unansweredUser = findingRule('unanswered-user', ({ detail, missingSteps: missing }: TraceFacts) => {
  if (detail.outcome === 'open' || !isFailure(detail.outcome)) return [];
  const phrases = missing.flatMap((step) => phrasesOf(step).whenMissing ?? []);
  return [...new Set(phrases)].map((text) => ({ severity: 'problem', text, evidence: { missingSteps: missing } }));
});

/** The findings of `trace`, in the order in which they are printed. */
export const traceRules = [conversationEnding, unsuccessfulStep, missingSteps, unansweredUser, allStepsCompleted];

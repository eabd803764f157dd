import { isFailure } from '@convotel/conventions';
import { findAll, findingRule, nameList, phrasesOf, stepDisplayName } from '../../findings/finding.ts';
import type { Answer } from '../../model/coverage.ts';
import { orderSteps } from '../../model/order.ts';
import type { ConversationSource, StepDurations } from '../../questions.ts';
import { firstOffsetsByRow } from '../compare/compared-sides.ts';
import { buildReport, coverageOfSameSpans } from '../report.ts';
import type { Report } from '../report.ts';
import { getConversation } from './conversation-detail.ts';
import type { ConversationDetail, OneConversationOptions } from './conversation-detail.ts';
import { allStepsCompleted, outermostSteps, unsuccessfulStep } from './step-findings.ts';

/** Number of newest conversations that determine which steps a conversation should have. */
const CONVERSATIONS_COMPARED = 50;

/**
 * One conversation as in `summary`, with findings about steps that it did not reach.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` if the source cannot answer.
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
    // The end of a window is exclusive.
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
 * The steps that a conversation did not reach: those that more than half of the compared conversations have, and that
 * come after the last one of `reachedSteps` in their step order. In that order.
 *
 * Empty if the compared conversations have none of the reached steps, because they are of another pipeline.
 *
 * @param durations contains the compared conversations
 * @param comparedTraceIds the newest 50 conversations; other rows of `durations` are ignored
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

/** Input of the finding rules of `trace`. */
export interface TraceFacts {
  detail: ConversationDetail;
  /** Steps that most of the newest 50 conversations have after the last one that this one reached, in step order. */
  missingSteps: string[];
}

/** The last completed step of a conversation that did not complete. */
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

/** How the missing steps of a failed conversation affected the user. */
export const unansweredUser = findingRule('unanswered-user', ({ detail, missingSteps: missing }: TraceFacts) => {
  if (detail.outcome === 'open' || !isFailure(detail.outcome)) return [];
  const phrases = missing.flatMap((step) => phrasesOf(step).whenMissing ?? []);
  return [...new Set(phrases)].map((text) => ({ severity: 'problem', text, evidence: { missingSteps: missing } }));
});

/** The findings of `trace`, in the order in which they are printed. */
export const traceRules = [conversationEnding, unsuccessfulStep, missingSteps, unansweredUser, allStepsCompleted];

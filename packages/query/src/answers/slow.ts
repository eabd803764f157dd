import { THRESHOLD } from '@convotel/conventions';
import { findAll, findingRule, phrasesOf, secondsWords, stepDisplayName } from '../findings/finding.ts';
import type { ConversationRecord } from '../model/conversation.ts';
import { millisecondsOf, recordOf } from '../model/numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { nanosecondsOf, percentOf } from './intervals.ts';
import { conversationRow } from './recent.ts';
import type { ConversationRow } from './recent.ts';
import { buildReport, checkLimit, checkNumber, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Options of {@link slow}. */
export interface SlowOptions extends WindowedOptions {
  /** Lists conversations that lasted longer than this, in milliseconds. @defaultValue `7000` */
  thresholdMs?: number | undefined;
  /** Whether duration or response latency is compared with the threshold and sorted by. @defaultValue `'duration'` */
  by?: 'duration' | 'response' | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
  /** Target for the findings, in milliseconds; a shorter conversation meets it. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/**
 * The conversations whose wall-clock duration is above the threshold, longest first, without open ones; by `response`,
 * those whose response latency is above it, including open ones.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function slow(
  source: ConversationSource,
  options: SlowOptions,
): Promise<Report<'slow', ConversationRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  const { thresholdMs = THRESHOLD.targetMs, by = 'duration', targetMs = THRESHOLD.targetMs } = options;
  checkNumber('thresholdMs', thresholdMs, 0);
  checkNumber('targetMs', targetMs, 0);
  checkLimit(limit);

  const { data: conversations, coverage } = await source.ask({
    name: 'conversations',
    window,
    filters,
    order: by === 'response' ? 'slowest-response' : 'slowest',
    limit,
    aboveNano: nanosecondsOf(thresholdMs),
  });
  const rows = conversations.map(conversationRow);
  const facts = { rows, by, thresholdMs, targetMs, completedMsByStep: completedMsByStep(conversations) };
  const findings = findAll(slowRules, facts);
  return buildReport({ command: 'slow', source, window, timeZone, coverage, data: rows, findings });
}

/** Completed outermost milliseconds by step, over all of `conversations`. */
function completedMsByStep(conversations: readonly ConversationRecord[]): Record<string, number> {
  const nanoByStep = new Map<string, bigint>();
  for (const conversation of conversations) {
    for (const [step, nano] of Object.entries(conversation.completedNanoByStep)) {
      nanoByStep.set(step, (nanoByStep.get(step) ?? 0n) + nano);
    }
  }
  return recordOf([...nanoByStep].map(([step, nano]) => [step, millisecondsOf(nano)]));
}

/** Input of the finding rules of `slow`. */
export interface SlowFacts {
  rows: ConversationRow[];
  by: 'duration' | 'response';
  thresholdMs: number;
  targetMs: number;
  /** Completed outermost milliseconds by step, over the listed conversations. */
  completedMsByStep: Record<string, number>;
}

/** Minimum percentage of the duration of slow conversations for a step to be dominating. */
export const DOMINATES_FROM_PCT = 40;

/** A timeout is suggested if the slowest conversation takes this many times the target. */
export const TIMEOUT_FROM_TARGETS = 1.5;

/** There are conversations above the threshold; how that compares with the target. */
export const investigateSlow = findingRule('investigate-slow', ({ rows, by, thresholdMs, targetMs }: SlowFacts) => {
  if (rows.length === 0 || by !== 'duration') return [];
  const overTarget = rows.filter((row) => row.durationMs >= targetMs).length;
  const target = secondsWords(targetMs);
  const which =
    overTarget === rows.length
      ? `target is <${target}s`
      : overTarget === 0
        ? `though under the target of ${target}s`
        : `${overTarget} of ${rows.length} missed the target of <${target}s`;
  const these = rows.length === 1 ? 'this one' : 'these';
  return [
    {
      severity: overTarget === 0 ? 'info' : 'warning',
      text: `Investigate why ${these} took >${secondsWords(thresholdMs)} seconds (${which})`,
      evidence: { conversations: rows.length, overTarget, thresholdMs, targetMs },
    },
  ];
});

/** There are conversations whose users waited longer than the threshold for an answer. */
export const slowResponses = findingRule('slow-responses', ({ rows, by, thresholdMs }: SlowFacts) => {
  if (rows.length === 0 || by !== 'response') return [];
  const which = rows.length === 1 ? 'this user' : 'these users';
  const text = `Investigate why ${which} waited >${secondsWords(thresholdMs)} seconds for an answer`;
  return [{ severity: 'warning', text, evidence: { conversations: rows.length, thresholdMs } }];
});

/** The step to investigate first in slow conversations, or that no single step stands out. */
export const dominatingStep = findingRule('dominating-step', (facts: SlowFacts) => {
  if (facts.rows.length === 0 || facts.by !== 'duration') return [];
  const slowest = findDominatingStep(facts);
  if (slowest === undefined) {
    const text = `No single step takes ${DOMINATES_FROM_PCT}% of the time: check where each conversation waits`;
    return [{ severity: 'info', text, evidence: { ...facts.completedMsByStep } }];
  }
  const which = facts.rows.length === 1 ? 'this conversation' : 'these conversations';
  const text = `Check ${stepDisplayName(slowest.step)} step duration for ${which}`;
  return [{ severity: 'warning', text, evidence: { ...slowest } }];
});

/** The slowest conversation is so far above the target that a timeout would be better for the user. */
export const considerTimeout = findingRule('consider-timeout', ({ rows, by, targetMs }: SlowFacts) => {
  const slowestMs = rows.reduce((slowest, row) => Math.max(slowest, row.durationMs), 0);
  if (by !== 'duration' || slowestMs < targetMs * TIMEOUT_FROM_TARGETS) return [];
  return [{ severity: 'advice', text: 'Consider adding timeout limits', evidence: { slowestMs, targetMs } }];
});

/** How to speed up the dominating step, depending on its kind. */
export const speedUpStep = findingRule('speed-up-step', (facts: SlowFacts) => {
  const slowest = facts.rows.length === 0 || facts.by !== 'duration' ? undefined : findDominatingStep(facts);
  const speedUp = slowest && phrasesOf(slowest.step).speedUp;
  if (slowest === undefined || speedUp === undefined) return [];
  return [{ severity: 'advice', text: `May need to ${speedUp}`, evidence: { ...slowest } }];
});

/** The findings of `slow`, in the order in which they are printed. */
export const slowRules = [slowResponses, investigateSlow, dominatingStep, considerTimeout, speedUpStep];

/** The step with the largest share of the listed conversations; undefined if none has {@link DOMINATES_FROM_PCT}. */
function findDominatingStep({ rows, completedMsByStep }: SlowFacts): { step: string; sharePct: number } | undefined {
  const durations = Object.entries(completedMsByStep).toSorted(([, a], [, b]) => b - a);
  const sumMs = rows.reduce((sum, row) => sum + row.durationMs, 0);
  const [slowest] = durations;
  if (slowest === undefined) return undefined;
  const sharePct = percentOf(slowest[1], sumMs);
  return sharePct >= DOMINATES_FROM_PCT ? { step: slowest[0], sharePct } : undefined;
}

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

/** What {@link slow} is asked with. */
export interface SlowOptions extends WindowedOptions {
  /** Lists conversations that lasted longer than this, in milliseconds. @defaultValue `7000` */
  thresholdMs?: number | undefined;
  /** What is compared with the threshold, and sorted by: the whole conversation, or its response latency. @defaultValue `'duration'` */
  by?: 'duration' | 'response' | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
  /** A conversation that lasts less than this meets the target, which the findings mention. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/**
 * The conversations that lasted longer than the threshold by the clock and are not open, longest first; or, by
 * `response`, those whose response latency is above it, open ones too.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
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

/** What the rules of `slow` look at. */
export interface SlowFacts {
  rows: ConversationRow[];
  by: 'duration' | 'response';
  thresholdMs: number;
  targetMs: number;
  /** Over the conversations listed: completed outermost milliseconds by step. */
  completedMsByStep: Record<string, number>;
}

/** A step dominates slow conversations from this share of their duration on, in per cent. */
export const DOMINATES_FROM_PCT = 40;

/** A timeout is worth considering when the slowest conversation takes this many times the target. */
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

/** Which step to look at first in slow conversations; says so where no single step stands out. */
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

/** The slowest conversation is so far beyond the target that giving up earlier would serve its user better. */
export const considerTimeout = findingRule('consider-timeout', ({ rows, by, targetMs }: SlowFacts) => {
  const slowestMs = rows.reduce((slowest, row) => Math.max(slowest, row.durationMs), 0);
  if (by !== 'duration' || slowestMs < targetMs * TIMEOUT_FROM_TARGETS) return [];
  return [{ severity: 'advice', text: 'Consider adding timeout limits', evidence: { slowestMs, targetMs } }];
});

/** How steps of its kind are sped up, when one dominates slow conversations. */
export const speedUpStep = findingRule('speed-up-step', (facts: SlowFacts) => {
  const slowest = facts.rows.length === 0 || facts.by !== 'duration' ? undefined : findDominatingStep(facts);
  const speedUp = slowest && phrasesOf(slowest.step).speedUp;
  if (slowest === undefined || speedUp === undefined) return [];
  return [{ severity: 'advice', text: `May need to ${speedUp}`, evidence: { ...slowest } }];
});

/** The findings of `slow`, in the order in which they are printed. */
export const slowRules = [slowResponses, investigateSlow, dominatingStep, considerTimeout, speedUpStep];

/** The step that takes most of the conversations listed; undefined where none takes 40 % of their duration. */
function findDominatingStep({ rows, completedMsByStep }: SlowFacts): { step: string; sharePct: number } | undefined {
  const durations = Object.entries(completedMsByStep).toSorted(([, a], [, b]) => b - a);
  const sumMs = rows.reduce((sum, row) => sum + row.durationMs, 0);
  const [slowest] = durations;
  if (slowest === undefined) return undefined;
  const sharePct = percentOf(slowest[1], sumMs);
  return sharePct >= DOMINATES_FROM_PCT ? { step: slowest[0], sharePct } : undefined;
}

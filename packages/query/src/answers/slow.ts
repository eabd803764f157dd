import { THRESHOLD } from '@convotel/conventions';
import { findAll, findingRule } from '../findings/finding.ts';
import { phrasesOf } from '../findings/step-phrases.ts';
import { secondsWords, stepDisplayName } from '../findings/words.ts';
import type { ConversationRecord } from '../model/conversation.ts';
import { millisecondsOf } from '../model/numbers.ts';
import { nanosecondsOf, percentOf } from './numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { conversationRow } from './conversation-row.ts';
import type { ConversationRow } from './conversation-row.ts';
import { checkLimit, checkNumber, checkWindowed } from './options.ts';
import type { WindowedOptions } from './options.ts';
import { buildReport } from './report.ts';
import type { Report } from './report.ts';

/** What {@link slow} is asked with. */
export interface SlowOptions extends WindowedOptions {
  /** Lists conversations that lasted longer than this, in milliseconds. @defaultValue `5000` */
  thresholdMs?: number | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
  /** A conversation with a total below it meets the target, which the findings mention. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/**
 * The conversations that lasted longer than the threshold by the clock and are not open, longest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function slow(
  source: ConversationSource,
  options: SlowOptions,
): Promise<Report<'slow', ConversationRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  const { thresholdMs = THRESHOLD.slowMs, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('thresholdMs', thresholdMs, 0);
  checkNumber('targetMs', targetMs, 0);
  checkLimit(limit);

  const { data: conversations, coverage } = await source.ask({
    name: 'conversations',
    window,
    filters,
    order: 'slowest',
    limit,
    aboveNano: nanosecondsOf(thresholdMs),
  });
  const rows = conversations.map(conversationRow);
  const findings = findAll(slowRules, {
    rows,
    thresholdMs,
    targetMs,
    completedMsByStep: completedMsByStep(conversations),
  });
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
  return Object.fromEntries([...nanoByStep].map(([step, nano]) => [step, millisecondsOf(nano)]));
}

/** What the rules of `slow` look at. */
export interface SlowFacts {
  rows: ConversationRow[];
  thresholdMs: number;
  targetMs: number;
  /** Over the conversations listed: completed outermost milliseconds by step. */
  completedMsByStep: Record<string, number>;
}

/** A step dominates slow conversations from this share of their completed time on, in per cent. */
export const DOMINATES_FROM_PCT = 40;

/** A timeout is worth considering when the slowest conversation takes this many times the target. */
export const TIMEOUT_FROM_TARGETS = 1.5;

/** There are conversations above the threshold; how that compares with the target. */
export const investigateSlow = findingRule('investigate-slow', ({ rows, thresholdMs, targetMs }: SlowFacts) => {
  if (rows.length === 0) return [];
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

/** Which step to look at first in slow conversations; says so where no single step stands out. */
export const dominatingStep = findingRule('dominating-step', (facts: SlowFacts) => {
  if (facts.rows.length === 0) return [];
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
export const considerTimeout = findingRule('consider-timeout', ({ rows, targetMs }: SlowFacts) => {
  const slowestMs = rows.reduce((slowest, row) => Math.max(slowest, row.durationMs), 0);
  if (slowestMs < targetMs * TIMEOUT_FROM_TARGETS) return [];
  return [{ severity: 'advice', text: 'Consider adding timeout limits', evidence: { slowestMs, targetMs } }];
});

/** How steps of its kind are sped up, when one dominates slow conversations. */
export const speedUpStep = findingRule('speed-up-step', (facts: SlowFacts) => {
  const slowest = facts.rows.length === 0 ? undefined : findDominatingStep(facts);
  const speedUp = slowest && phrasesOf(slowest.step).speedUp;
  if (slowest === undefined || speedUp === undefined) return [];
  return [{ severity: 'advice', text: `May need to ${speedUp}`, evidence: { ...slowest } }];
});

/** The findings of `slow`, in the order in which they are printed. */
export const slowRules = [investigateSlow, dominatingStep, considerTimeout, speedUpStep];

/** The step that takes most of the conversations listed; undefined where none takes 40 % of their completed time. */
function findDominatingStep({ completedMsByStep }: SlowFacts): { step: string; sharePct: number } | undefined {
  const durations = Object.entries(completedMsByStep).toSorted(([, a], [, b]) => b - a);
  const sumMs = durations.reduce((sum, [, durationMs]) => sum + durationMs, 0);
  const [slowest] = durations;
  if (slowest === undefined) return undefined;
  const sharePct = percentOf(slowest[1], sumMs);
  return sharePct >= DOMINATES_FROM_PCT ? { step: slowest[0], sharePct } : undefined;
}

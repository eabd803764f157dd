import type { StepAverageRow } from '../../src/answers/averages.ts';
import type { ComparisonRow } from '../../src/answers/compare/compare-windows.ts';
import type { ConversationRow } from '../../src/answers/recent.ts';
import type { ConversationDetail, StepRow } from '../../src/answers/conversation/conversation-detail.ts';
import type { StepErrorRow } from '../../src/answers/errors.ts';
import { nanosecondsOf, percentOf } from '../../src/answers/intervals.ts';
import type { StepPercentiles } from '../../src/answers/percentiles.ts';
import type { Finding } from '../../src/findings/finding.ts';
import { formatInstant, parseInstant } from '../../src/time/instant.ts';

/** What the rules of `summary` look at, with a target of 7 s. Steps follow each other without gaps. */
export function summaryFacts(
  steps: readonly (Partial<StepRow> & { step: string; durationMs: number })[],
  overrides: Partial<ConversationDetail> = {},
  targetMs = 7000,
): { detail: ConversationDetail; targetMs: number } {
  let nextMs = 0;
  const stepSumMs = steps.reduce((sum, step) => sum + ((step.depth ?? 0) === 0 ? step.durationMs : 0), 0);
  const detail: ConversationDetail = {
    conversationId: 'conversation-1',
    traceId: '0'.repeat(31) + '1',
    startTime: '2025-10-08T12:30:22.123456Z',
    endTime: '2025-10-08T12:30:28.987654Z',
    stepSumMs,
    durationMs: stepSumMs,
    unattributedMs: 0,
    stepCount: steps.length,
    outcome: 'completed',
    steps: steps.map((step, index) => ({
      spanId: String(index).padStart(16, '0'),
      startTime: instantAfter(nextMs),
      endTime: instantAfter((nextMs += step.durationMs)),
      sharePct: stepSumMs === 0 ? 0 : (step.durationMs / stepSumMs) * 100,
      outcome: 'completed',
      depth: 0,
      ...step,
    })),
    ...overrides,
  };
  return { detail, targetMs };
}

function instantAfter(milliseconds: number): string {
  return formatInstant(parseInstant('2025-10-08T12:30:22.123456Z') + nanosecondsOf(milliseconds));
}

/** A row of `averages` of 45 calls. */
export function averageRow(
  step: string,
  averageMs: number,
  minMs: number,
  maxMs: number,
  overrides: Partial<StepAverageRow> = {},
): StepAverageRow {
  return {
    step,
    count: 45,
    averageMs,
    minMs,
    maxMs,
    leftOut: { tooLong: 0, notCompleted: 0 },
    timings: {},
    ...overrides,
  };
}

/** What the rules of `percentiles` look at. */
export function percentilesFacts(
  count: number,
  percentiles: StepPercentiles['percentiles'],
): { data: StepPercentiles } {
  return { data: { step: 'gpt', count, leftOut: { tooLong: 0, notCompleted: 0 }, percentiles } };
}

/** A row of `slow`. */
export function slowRow(durationMs: number): ConversationRow {
  return {
    conversationId: `conversation-${durationMs}`,
    traceId: '0'.repeat(31) + '1',
    startTime: '2025-10-08T12:30:22.123456Z',
    endTime: '2025-10-08T12:30:28.987654Z',
    stepSumMs: durationMs,
    durationMs,
    stepCount: 5,
    outcome: 'completed',
  };
}

/** A row of `errors`; what was retried had failed. */
export function errorRow(step: string, failures: number, total: number, retried = 0): StepErrorRow {
  const finalFailures = failures - retried;
  return {
    step,
    total,
    failures,
    errorRatePct: percentOf(failures, total),
    retried,
    finalFailures,
    finalErrorRatePct: percentOf(finalFailures, total - retried),
  };
}

/** A row of `compare`: averages before and after, and the verdict on them. */
export function comparisonRow(
  step: string,
  beforeMs: number,
  afterMs: number,
  verdict: ComparisonRow['verdict'],
  errorRates: readonly [beforePct: number, afterPct: number] = [0, 0],
): ComparisonRow {
  return {
    step,
    before: { count: 45, averageMs: beforeMs, errorRatePct: errorRates[0] },
    after: { count: 44, averageMs: afterMs, errorRatePct: errorRates[1] },
    deltaMs: afterMs - beforeMs,
    deltaPct: ((afterMs - beforeMs) / beforeMs) * 100,
    ...(verdict === 'too few' ? {} : { intervalMs: [afterMs - beforeMs - 100, afterMs - beforeMs + 100] as const }),
    verdict,
  } as ComparisonRow;
}

/** The sentences alone. */
export function textsOf(findings: readonly Finding[]): string[] {
  return findings.map((finding) => finding.text);
}

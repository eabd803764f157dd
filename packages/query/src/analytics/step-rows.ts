import type { PercentileName, StepAverageRow, StepErrorRow, StepSuccessRow } from '../answers/data.ts';
import type { StepStatistics } from '../questions.ts';
import { percentOf } from './percent.ts';

/** The percentiles that `percentiles` answers, and their ranks. */
export const PERCENTILES: readonly (readonly [name: PercentileName, rank: number])[] = [
  ['p10', 0.1],
  ['p25', 0.25],
  ['p50', 0.5],
  ['p75', 0.75],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
];

/** The row of `averages` for one step. */
export function stepAverageRow(statistics: StepStatistics): StepAverageRow {
  const { step, count, averageMs, minMs, maxMs, leftOut, timings } = statistics;
  return {
    step,
    count,
    ...(averageMs === undefined ? {} : { averageMs }),
    ...(minMs === undefined ? {} : { minMs }),
    ...(maxMs === undefined ? {} : { maxMs }),
    leftOut,
    timings,
  };
}

/** The row of `errors` for one step. */
export function stepErrorRow({ step, total, failures }: StepStatistics): StepErrorRow {
  return { step, total, failures, errorRatePct: percentOf(failures, total) };
}

/** The row of `success` for one step. */
export function stepSuccessRow({ step, total, completed }: StepStatistics): StepSuccessRow {
  return { step, total, completed, successRatePct: percentOf(completed, total) };
}

/** Percentiles by name, from values in the order of {@link PERCENTILES}; empty where there are none. */
export function percentilesByName(quantilesMs: readonly number[]): Partial<Record<PercentileName, number>> {
  return Object.fromEntries(
    PERCENTILES.flatMap(([name], index) => {
      const value = quantilesMs[index];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * Mean of what a conversation spends in counted outermost steps, in ms: their sum over all steps, by the
 * `conversations` with a span in the window. Absent without conversations.
 */
export function meanTotalMs(statistics: readonly StepStatistics[], conversations: number): number | undefined {
  if (conversations === 0) return undefined;
  return statistics.reduce((sum, { outermostMs }) => sum + outermostMs, 0) / conversations;
}

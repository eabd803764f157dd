import type { ComparedSide } from '../../answers/data.ts';
import type { StepDurations, StepStatistics } from '../../questions.ts';
import { percentOf } from '../percent.ts';
import type { RatioColumn } from './ratio-column.ts';

/** A step's durations as a column: its counted spans in the window, by conversation. */
export function stepColumn(durations: StepDurations, step: string): RatioColumn {
  const column = durations.steps.find((candidate) => candidate.step === step);
  return column === undefined
    ? { sums: new Float64Array(durations.traceIds.length), counts: new Uint32Array(durations.traceIds.length) }
    : { sums: column.countedMs, counts: column.counted };
}

/** One side of a step's row; count 0 and nothing else where the step was not seen. */
export function stepSide(statistics: readonly StepStatistics[], step: string): ComparedSide {
  const found = statistics.find((candidate) => candidate.step === step);
  if (found === undefined) return { count: 0 };
  const { count, averageMs, quantilesMs, failures, total } = found;
  const [p50Ms, p95Ms] = quantilesMs;
  return {
    count,
    ...(averageMs === undefined ? {} : { averageMs }),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    errorRatePct: percentOf(failures, total),
  };
}

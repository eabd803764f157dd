import { isFailure, THRESHOLD } from '@convotel/conventions';
import type { ComparedSide } from '../../answers/data.ts';
import type { StepDurations } from '../../questions.ts';
import { percentOf } from '../percent.ts';
import { quantileOfSorted } from '../../model/numbers.ts';
import type { RatioColumn } from './ratio-column.ts';

/**
 * The totals of conversations as a column: completed ones that start in the window, with a total under 60 s.
 * The other rows count nothing.
 */
export function totalsColumn(durations: StepDurations): RatioColumn {
  const { startsInWindow, outcomes, totalMs } = durations;
  const counts = Uint32Array.from(outcomes, (outcome, row) =>
    startsInWindow[row] === 1 && outcome === 'completed' && totalMs[row]! < THRESHOLD.longestCountedStepMs ? 1 : 0,
  );
  return { counts, sums: totalMs.map((total, row) => (counts[row] === 1 ? total : 0)) };
}

/** One side of the row `conversation`; its error rate is over all conversations of the window that are not open. */
export function totalsSide(durations: StepDurations): ComparedSide {
  const { counts } = totalsColumn(durations);
  const sorted = durations.totalMs.filter((_total, row) => counts[row] === 1).sort();
  const ended = durations.outcomes.filter((outcome, row) => durations.startsInWindow[row] === 1 && outcome !== 'open');
  const failures = ended.filter((outcome) => outcome !== 'open' && isFailure(outcome)).length;
  return {
    count: sorted.length,
    ...(sorted.length === 0
      ? {}
      : {
          averageMs: sorted.reduce((sum, total) => sum + total, 0) / sorted.length,
          p50Ms: quantileOfSorted(sorted, 0.5)!,
          p95Ms: quantileOfSorted(sorted, 0.95)!,
        }),
    ...(ended.length === 0 ? {} : { errorRatePct: percentOf(failures, ended.length) }),
  };
}

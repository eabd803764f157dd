import type { StepStatistics } from '@convotel/query';
import { quantileOfSorted } from '../../../src/model/numbers.ts';
import type { ComparedWindow } from '../../../src/answers/compare/compared-sides.ts';
import type { Random } from '../../../src/answers/compare/bootstrap-means.ts';
import { stepDurations } from '../step-durations.ts';

/** A draw from a log-normal distribution with this mean and this standard deviation of the logarithm. */
export function logNormal(random: Random, mean: number, sigma: number): number {
  // Box and Muller; + 1 keeps the logarithm finite.
  const radius = Math.sqrt(-2 * Math.log((random() + 1) / 0x1_0000_0000));
  const normal = radius * Math.cos((2 * Math.PI * random()) / 0x1_0000_0000);
  return mean * Math.exp(sigma * normal - (sigma * sigma) / 2);
}

/** What a source would answer about conversations with these durations in ms, by step; each has every step once. */
export function windowOf(durationsMs: Record<string, readonly number[]>): ComparedWindow {
  const [first = []] = Object.values(durationsMs);
  const durations = stepDurations(
    first.map((_none, row) => ({
      traceId: `trace ${row}`,
      steps: Object.fromEntries(
        Object.entries(durationsMs).map(([step, values], index) => [
          step,
          { offsetMs: index, countedMs: values[row]! },
        ]),
      ),
    })),
  );
  return { durations, statistics: Object.entries(durationsMs).map(([step, values]) => statisticsOf(step, values)) };
}

function statisticsOf(step: string, values: readonly number[]): StepStatistics {
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    step,
    total: values.length,
    completed: values.length,
    failures: 0,
    retried: 0,
    finalFailures: 0,
    count: values.length,
    averageMs: sum / values.length,
    minMs: Math.min(...values),
    maxMs: Math.max(...values),
    outermostMs: sum,
    leftOut: { tooLong: 0, notCompleted: 0 },
    timings: {},
    quantilesMs: [0.5, 0.95].map(
      (probability) =>
        quantileOfSorted(
          values.toSorted((a, b) => a - b),
          probability,
        ) ?? 0,
    ),
  };
}

import type { ComparedSide, ComparisonRow, Verdict } from '../../answers/data.ts';
import { percentOf } from '../percent.ts';
import { quantileOfSorted } from '../../model/numbers.ts';
import { bootstrapMeans } from './bootstrap-means.ts';
import type { ComparedWindow } from './compared-window.ts';
import type { Random } from './random.ts';
import type { RatioColumn } from './ratio-column.ts';
import { stepOrderOfBoth } from './step-order-of-both.ts';
import { stepColumn, stepSide } from './step-side.ts';
import { totalsColumn, totalsSide } from './totals.ts';

/** Fewer conversations than this on either side are too few to say anything. */
const LEAST_CONVERSATIONS = 10;
/** One minus the level of `intervalMs`. */
const ERROR_LEVEL = 0.05;

/**
 * The rows of `compare`: each step, then `conversation`.
 *
 * The interval is the percentile interval of the difference of two bootstrapped means, each side drawn on its own, over
 * conversations (Efron and Tibshirani 1993, chapters 8.3 and 13.3). A verdict is given where the interval at level
 * 1 − 0.05/k lies on one side of 0, k being the rows that could get one: Bonferroni's correction, so that under no
 * change all rows together err in about 5 % of comparisons.
 */
export function compareWindows(
  before: ComparedWindow,
  after: ComparedWindow,
  resamples: number,
  random: Random,
): ComparisonRow[] {
  const pairs = pairsOf(before, after);
  const judged = pairs.filter(({ columns }) => columns.every(isEnough));
  const [beforeMeans, afterMeans] = [before, after].map(({ durations }, side) =>
    bootstrapMeans(
      judged.map(({ columns }) => columns[side]!),
      durations.traceIds.length,
      resamples,
      random,
    ),
  );
  const differences = new Map(
    judged.map((pair, index) => [pair, sortedDifferences(beforeMeans![index]!, afterMeans![index]!)]),
  );
  return pairs.map((pair) => ({
    step: pair.step,
    before: pair.before,
    after: pair.after,
    ...deltaOf(pair.before, pair.after),
    ...judgement(differences.get(pair), judged.length),
  }));
}

interface Pair {
  step: string;
  before: ComparedSide;
  after: ComparedSide;
  columns: readonly [before: RatioColumn, after: RatioColumn];
}

function pairsOf(before: ComparedWindow, after: ComparedWindow): Pair[] {
  const steps = stepOrderOfBoth([before, after]).map((step) => ({
    step,
    before: stepSide(before.statistics, step),
    after: stepSide(after.statistics, step),
    columns: [stepColumn(before.durations, step), stepColumn(after.durations, step)] as const,
  }));
  const conversation = {
    step: 'conversation',
    before: totalsSide(before.durations),
    after: totalsSide(after.durations),
    columns: [totalsColumn(before.durations), totalsColumn(after.durations)] as const,
  };
  return [...steps, conversation];
}

/** Conversations are what is drawn, so many spans of few conversations are still too few. */
function isEnough({ counts }: RatioColumn): boolean {
  return counts.reduce((rows, count) => (count > 0 ? rows + 1 : rows), 0) >= LEAST_CONVERSATIONS;
}

function deltaOf(before: ComparedSide, after: ComparedSide): Pick<ComparisonRow, 'deltaMs' | 'deltaPct'> {
  if (before.averageMs === undefined || after.averageMs === undefined) return {};
  const deltaMs = after.averageMs - before.averageMs;
  // A step that took no time before has no percentage.
  return before.averageMs === 0 ? { deltaMs } : { deltaMs, deltaPct: percentOf(deltaMs, before.averageMs) };
}

/** After − before of each pair of resamples, ascending; without the few in which a side had nothing to count. */
function sortedDifferences(before: Float64Array, after: Float64Array): Float64Array {
  return after
    .map((mean, resample) => mean - before[resample]!)
    .filter((difference) => !Number.isNaN(difference))
    .sort();
}

function judgement(
  differences: Float64Array | undefined,
  rowsJudged: number,
): Pick<ComparisonRow, 'intervalMs' | 'verdict'> {
  if (differences === undefined) return { verdict: 'too few' };
  return {
    intervalMs: intervalOf(differences, ERROR_LEVEL),
    verdict: verdictOf(intervalOf(differences, ERROR_LEVEL / rowsJudged)),
  };
}

function intervalOf(sorted: Float64Array, errorLevel: number): [low: number, high: number] {
  return [quantileOfSorted(sorted, errorLevel / 2)!, quantileOfSorted(sorted, 1 - errorLevel / 2)!];
}

function verdictOf([low, high]: readonly [number, number]): Verdict {
  if (high < 0) return 'faster';
  return low > 0 ? 'slower' : 'no clear change';
}

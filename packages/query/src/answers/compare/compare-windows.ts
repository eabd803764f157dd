import { quantileOfSorted } from '../../model/numbers.ts';
import { percentOf } from '../numbers.ts';
import type { Random } from '../../seeded-random.ts';
import { bootstrapMeans } from './bootstrap-means.ts';
import type { RatioColumn } from './bootstrap-means.ts';
import { comparedPairs } from './compared-sides.ts';
import type { ComparedPair, ComparedSide, ComparedWindow } from './compared-sides.ts';

/** Whether a difference is one. */
export type Verdict = 'faster' | 'slower' | 'no clear change' | 'too few';

/** A row of `compare`; the last one is `conversation`, with totals. */
export interface ComparisonRow {
  step: string;
  before: ComparedSide;
  after: ComparedSide;
  /** After − before of the averages; absent where a side has none. */
  deltaMs?: number;
  deltaPct?: number;
  /** 95 % interval of `deltaMs`; absent where the verdict is `too few`. */
  intervalMs?: [low: number, high: number];
  verdict: Verdict;
}

/** With fewer conversations than this on either side there is no verdict. */
export const MIN_CONVERSATIONS = 10;
/** One minus the level of `intervalMs`. */
const SIGNIFICANCE_LEVEL = 0.05;
/** As many resamples beyond each end of an interval as 2,000 give for one of 95 %. */
const RESAMPLES_PER_TAIL = 50;
/** Standard errors between what was seen and the level from which on more resamples would not change a verdict. */
const DECIDED_FROM_ERRORS = 3;

/**
 * The rows of `compare`: each step, then `conversation`.
 *
 * The interval is the percentile interval of the difference of two bootstrapped means, each side drawn on its own, over
 * conversations (Efron and Tibshirani 1993, chapters 8.3 and 13.3). A verdict is given where the interval at level
 * 1 − 0.05/k lies on one side of 0, k being the rows that could get one: Bonferroni's correction, so that under no
 * change all rows together err in about 5 % of comparisons.
 *
 * The ends of that wider interval lie further out, where `resamples` may leave only a few: then more are drawn, for
 * the rows that could still get a verdict.
 */
export function compareWindows(
  before: ComparedWindow,
  after: ComparedWindow,
  resamples: number,
  random: Random,
): ComparisonRow[] {
  const pairs = comparedPairs(before, after);
  const judged = pairs.filter(({ columns }) => columns.every(isEnough));
  const level = SIGNIFICANCE_LEVEL / judged.length;
  const rowCounts = [before.durations.traceIds.length, after.durations.traceIds.length] as const;
  const draw = (drawn: readonly ComparedPair[]): Float64Array[] => drawDifferences(drawn, rowCounts, resamples, random);

  const differences = new Map(zip(judged, draw(judged)));
  const intervals = new Map([...differences].map(([pair, drawn]) => [pair, intervalOf(drawn, SIGNIFICANCE_LEVEL)]));
  // An interval that holds 0 at 95 % holds it at any higher level too, so such a row needs no more resamples.
  let undecided = judged.filter((pair) => verdictOf(intervals.get(pair)!) !== 'no clear change');
  while ((undecided = undecided.filter((pair) => !isDecided(differences.get(pair)!, level))).length > 0) {
    for (const [pair, more] of zip(undecided, draw(undecided))) {
      differences.set(pair, sortedTogether(differences.get(pair)!, more));
    }
  }
  return pairs.map((pair) => ({
    step: pair.step,
    before: pair.before,
    after: pair.after,
    ...deltaOf(pair.before, pair.after),
    ...judgement(intervals.get(pair), differences.get(pair), level),
  }));
}

/** Conversations are what is drawn, so many spans of few conversations are still too few. */
function isEnough({ counts }: RatioColumn): boolean {
  return counts.reduce((rows, count) => (count > 0 ? rows + 1 : rows), 0) >= MIN_CONVERSATIONS;
}

/**
 * For each of `pairs`, after − before of the bootstrapped means, ascending; without the few resamples in which a side
 * had nothing to count.
 */
function drawDifferences(
  pairs: readonly ComparedPair[],
  [rowsBefore, rowsAfter]: readonly [number, number],
  resamples: number,
  random: Random,
): Float64Array[] {
  const columnsOf = (side: 0 | 1): RatioColumn[] => pairs.map(({ columns }) => columns[side]);
  const before = bootstrapMeans(columnsOf(0), rowsBefore, resamples, random);
  const after = bootstrapMeans(columnsOf(1), rowsAfter, resamples, random);
  return after.map((means, index) =>
    means
      .map((mean, resample) => mean - before[index]![resample]!)
      .filter((difference) => !Number.isNaN(difference))
      .sort(),
  );
}

/** Whether more resamples would not change on which side of 0 the interval at `1 - level` lies. */
function isDecided(sorted: Float64Array, level: number): boolean {
  const expectedBeyond = (sorted.length * level) / 2;
  if (sorted.length === 0 || expectedBeyond >= RESAMPLES_PER_TAIL) return true;
  const above = sorted.length - sorted.filter((difference) => difference <= 0).length;
  const beyond = Math.min(above, sorted.length - above);
  return Math.abs(beyond - expectedBeyond) > DECIDED_FROM_ERRORS * Math.sqrt(expectedBeyond);
}

function deltaOf(before: ComparedSide, after: ComparedSide): Pick<ComparisonRow, 'deltaMs' | 'deltaPct'> {
  if (before.averageMs === undefined || after.averageMs === undefined) return {};
  const deltaMs = after.averageMs - before.averageMs;
  // A step that took no time before has no percentage.
  return before.averageMs === 0 ? { deltaMs } : { deltaMs, deltaPct: percentOf(deltaMs, before.averageMs) };
}

function judgement(
  intervalMs: [low: number, high: number] | undefined,
  differences: Float64Array | undefined,
  level: number,
): Pick<ComparisonRow, 'intervalMs' | 'verdict'> {
  if (intervalMs === undefined || differences === undefined) return { verdict: 'too few' };
  return { intervalMs, verdict: verdictOf(intervalOf(differences, level)) };
}

function intervalOf(sorted: Float64Array, level: number): [low: number, high: number] {
  return [quantileOfSorted(sorted, level / 2)!, quantileOfSorted(sorted, 1 - level / 2)!];
}

function verdictOf([low, high]: readonly [number, number]): Verdict {
  if (high < 0) return 'faster';
  return low > 0 ? 'slower' : 'no clear change';
}

function zip<Left, Right>(left: readonly Left[], right: readonly Right[]): [Left, Right][] {
  return left.map((value, index) => [value, right[index]!]);
}

function sortedTogether(left: Float64Array, right: Float64Array): Float64Array {
  const all = new Float64Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  return all.sort();
}

import { joined, quantileOfSorted } from '../../model/numbers.ts';
import { medianStandardError, normalQuantile, normalTail, percentOf, studentQuantile } from '../intervals.ts';
import { bootstrapMeans } from './bootstrap-means.ts';
import type { Random } from './bootstrap-means.ts';
import { comparedPairs } from './compared-sides.ts';
import type { ComparedPair, ComparedSide, ComparedWindow } from './compared-sides.ts';
import { differenceWithinGroups } from './mix.ts';
import type { DifferenceWithinGroups, Mix } from './mix.ts';
import { rowsWithValue, varianceOfMean } from './ratio-means.ts';
import type { RatioColumn } from './ratio-means.ts';

/** Whether a difference is significant, and its direction. */
export type Verdict = 'faster' | 'slower' | 'no clear change' | 'too few';

/**
 * A row of `compare`: a step, the time to first output of a step (`gpt first output`), the response latency, or, in the last
 * row, `conversation`, wall-clock durations.
 */
export interface ComparisonRow {
  /** With `by`. */
  group?: string;
  step: string;
  before: ComparedSide;
  after: ComparedSide;
  /** Difference of the averages, after − before; absent if a side has none. */
  deltaMs?: number;
  deltaPct?: number;
  /** 95 % confidence interval of `deltaMs`; absent if the verdict is `too few`. */
  intervalMs?: [low: number, high: number];
  /** Difference of the medians, after − before; absent if a side has none. */
  medianDeltaMs?: number;
  /** 95 % confidence interval of `medianDeltaMs`; absent if the verdict is `too few`. */
  medianIntervalMs?: [low: number, high: number];
  /** If the mix of conversations changed: the difference between conversations of the same kind. */
  withinGroups?: DifferenceWithinGroups;
  verdict: Verdict;
}

/** With fewer conversations on either side, the verdict is `too few`. */
export const MIN_CONVERSATIONS = 10;
/** From this many conversations on both sides on, the mean is so nearly normal that nothing is resampled. */
const NORMAL_FROM_CONVERSATIONS = 5_000;
/** One minus the confidence level of `intervalMs`. */
const SIGNIFICANCE_LEVEL = 0.05;
/** Minimum number of resamples outside each end of an interval: as many as 2,000 resamples give at 95 %. */
const RESAMPLES_PER_TAIL = 50;
/** More resamples are not needed if the observed tail is this many standard errors away from the level. */
const DECIDED_FROM_ERRORS = 3;

/**
 * The rows of `compare`: each step and its first output, the response latency, then `conversation`.
 *
 * The interval is the percentile interval of the difference of two bootstrapped means. Conversations are resampled
 * independently on each side (Efron and Tibshirani 1993, chapters 8.3 and 13.3), and the interval is widened according
 * to Student's t for few conversations (Hesterberg, *What Teachers Should Know about the Bootstrap*, 2015, section
 * 4.6). A difference is significant if the interval at level 1 − 0.05/k is on one side of 0, where k is the number of
 * rows that can be tested (Bonferroni correction): without any real change, about 5 % of comparisons have a false
 * verdict.
 *
 * Few of the `resamples` are beyond the ends of that wider interval, so more are drawn for the rows that may still be
 * significant.
 *
 * For a row with 5,000 conversations or more on both sides, the interval is the one that resampling approximates there:
 * that of a normal distribution with the variance of a ratio of sums, by Student's t and Welch's degrees of freedom.
 */
export function compareWindows(
  before: ComparedWindow,
  after: ComparedWindow,
  resamples: number,
  random: Random,
  { mix, order }: { mix?: Mix; order?: readonly string[] } = {},
): ComparisonRow[] {
  const pairs = comparedPairs(before, after, order).map((pair) => ({ ...pair, sizes: sizesOf(pair) }));
  const judged = pairs.filter(({ sizes }) => Math.min(...sizes) >= MIN_CONVERSATIONS);
  const judgedSteps = Math.max(1, judged.filter((pair) => pair !== pairs.at(-1)).length);
  const judgements = new Map<SizedPair, Judgement>();
  for (const pair of judged) if (isLarge(pair)) judgements.set(pair, judgeNormal(pair, judgedSteps));
  const resampled = judged.filter((pair) => !isLarge(pair));
  const rowCounts = [before.durations.traceIds.length, after.durations.traceIds.length] as const;
  for (const [pair, judgement] of judgeByResampling(resampled, judgedSteps, { rowCounts, resamples, random })) {
    judgements.set(pair, judgement);
  }
  return pairs.map((pair) => {
    const judgement = judgements.get(pair);
    return {
      step: pair.step,
      before: pair.before,
      after: pair.after,
      ...deltaOf(pair.before, pair.after),
      ...(judgement === undefined ? {} : { intervalMs: judgement.interval }),
      ...medianDeltaOf(pair, judgement !== undefined),
      ...withinGroupsOf(pair, mix),
      verdict: judgement === undefined ? 'too few' : verdictOf(judgement.testInterval),
    };
  });
}

/** With the number of conversations that have a value. */
interface SizedPair extends ComparedPair {
  sizes: readonly [before: number, after: number];
}

/** Two intervals of a difference of means. */
interface Judgement {
  /** At 95 %. */
  interval: [low: number, high: number];
  /** At the level of the test; the verdict is on which side of 0 it is. */
  testInterval: [low: number, high: number];
}

function sizesOf({ columns: [before, after] }: ComparedPair): SizedPair['sizes'] {
  return [rowsWithValue(before), rowsWithValue(after)];
}

function isLarge({ sizes }: SizedPair): boolean {
  return Math.min(...sizes) >= NORMAL_FROM_CONVERSATIONS;
}

function judgeNormal({ before, after, columns, sizes }: SizedPair, judgedSteps: number): Judgement {
  const [one, other] = [varianceOfMean(columns[0]), varianceOfMean(columns[1])];
  const deltaMs = after.averageMs! - before.averageMs!;
  const intervalAt = (level: number): [low: number, high: number] => {
    if (one + other === 0) return [deltaMs, deltaMs];
    const margin = studentQuantile(level / 2, welchDegrees([one, other], sizes)) * Math.sqrt(one + other);
    return [deltaMs - margin, deltaMs + margin];
  };
  return { interval: intervalAt(SIGNIFICANCE_LEVEL), testInterval: intervalAt(SIGNIFICANCE_LEVEL / judgedSteps) };
}

function judgeByResampling(
  judged: readonly SizedPair[],
  judgedSteps: number,
  { rowCounts, resamples, random }: { rowCounts: readonly [number, number]; resamples: number; random: Random },
): Map<SizedPair, Judgement> {
  const judgements = new Map(
    zip(judged, drawDifferences(judged, rowCounts, resamples, random)).map(([pair, { means, variances }]) => {
      const interval = intervalOf(means, widenedLevel(SIGNIFICANCE_LEVEL, pair, variances));
      return [pair, { means, interval, level: widenedLevel(SIGNIFICANCE_LEVEL / judgedSteps, pair, variances) }];
    }),
  );
  // An interval that contains 0 at 95 % also does at any higher level, so such a row needs no more resamples.
  let undecided = judged.filter((pair) => verdictOf(judgements.get(pair)!.interval) !== 'no clear change');
  while ((undecided = undecided.filter((pair) => !isDecided(judgements.get(pair)!))).length > 0) {
    for (const [pair, { means }] of zip(undecided, drawDifferences(undecided, rowCounts, resamples, random))) {
      const judgement = judgements.get(pair)!;
      judgement.means = joined(judgement.means, means).sort();
    }
  }
  return new Map(
    [...judgements].map(([pair, { means, interval, level }]) => [
      pair,
      { interval, testInterval: intervalOf(means, level) },
    ]),
  );
}

/** Of one pair: the difference of the means (after − before) in each resample, and the variance of each side's mean. */
interface Differences {
  /** Ascending, without the few resamples in which a side has no values. */
  means: Float64Array;
  variances: readonly [before: number, after: number];
}

function drawDifferences(
  pairs: readonly ComparedPair[],
  [rowsBefore, rowsAfter]: readonly [number, number],
  resamples: number,
  random: Random,
): Differences[] {
  const columnsOf = (side: 0 | 1): RatioColumn[] => pairs.map(({ columns }) => columns[side]);
  const before = bootstrapMeans(columnsOf(0), rowsBefore, resamples, random);
  const after = bootstrapMeans(columnsOf(1), rowsAfter, resamples, random);
  return zip(before, after).map(([one, other]) => ({
    means: sortedDifferences(one, other),
    variances: [varianceOf(one), varianceOf(other)],
  }));
}

function sortedDifferences(before: Float64Array, after: Float64Array): Float64Array {
  return after
    .map((value, resample) => value - before[resample]!)
    .filter((difference) => !Number.isNaN(difference))
    .sort();
}

/**
 * The level at which a percentile interval of a difference of means is as wide as Student's t requires: the variance of
 * a bootstrapped mean is too small by the factor (n−1)/n, and its tails are those of a normal distribution. Degrees of
 * freedom by Welch.
 */
function widenedLevel(level: number, { sizes }: SizedPair, variances: Differences['variances']): number {
  const before = (variances[0] * sizes[0]) / (sizes[0] - 1);
  const after = (variances[1] * sizes[1]) / (sizes[1] - 1);
  const variance = before + after;
  if (variance === 0) return level;
  const degrees = welchDegrees([before, after], sizes);
  const widening = Math.sqrt(variance / (variances[0] + variances[1]));
  return 2 * normalTail(studentQuantile(level / 2, degrees) * widening);
}

/** Degrees of freedom of a difference of two means with these variances, by Welch. */
function welchDegrees([before, after]: readonly [number, number], sizes: SizedPair['sizes']): number {
  return (before + after) ** 2 / (before ** 2 / (sizes[0] - 1) + after ** 2 / (sizes[1] - 1));
}

/** Whether more resamples would not change on which side of 0 the interval at level `1 - level` is. */
function isDecided({ means, level }: { means: Float64Array; level: number }): boolean {
  const expectedBeyond = (means.length * level) / 2;
  if (means.length === 0 || expectedBeyond >= RESAMPLES_PER_TAIL) return true;
  const above = means.length - means.filter((difference) => difference <= 0).length;
  const beyond = Math.min(above, means.length - above);
  return Math.abs(beyond - expectedBeyond) > DECIDED_FROM_ERRORS * Math.sqrt(expectedBeyond);
}

function withinGroupsOf({ columns }: ComparedPair, mix: Mix | undefined): Pick<ComparisonRow, 'withinGroups'> {
  if (mix === undefined || mix.changes.length === 0) return {};
  const withinGroups = differenceWithinGroups(columns, mix);
  return withinGroups === undefined ? {} : { withinGroups };
}

function deltaOf(before: ComparedSide, after: ComparedSide): Pick<ComparisonRow, 'deltaMs' | 'deltaPct'> {
  if (before.averageMs === undefined || after.averageMs === undefined) return {};
  const deltaMs = after.averageMs - before.averageMs;
  // Without an average before, there is no percentage.
  return before.averageMs === 0 ? { deltaMs } : { deltaMs, deltaPct: percentOf(deltaMs, before.averageMs) };
}

/**
 * The difference of the medians and, if the row is tested, its 95 % confidence interval by the order statistics around
 * the median of each side (Price and Bonett, *Distribution-Free Confidence Intervals for Difference and Ratio of
 * Medians*, 2002).
 */
function medianDeltaOf(
  { before, after, columns }: ComparedPair,
  isJudged: boolean,
): Pick<ComparisonRow, 'medianDeltaMs' | 'medianIntervalMs'> {
  if (before.p50Ms === undefined || after.p50Ms === undefined) return {};
  const medianDeltaMs = after.p50Ms - before.p50Ms;
  if (!isJudged) return { medianDeltaMs };
  const [one, other] = columns.map((column) => medianStandardError(valuesOf(column)));
  const margin = normalQuantile(SIGNIFICANCE_LEVEL / 2) * Math.hypot(one!, other!);
  return { medianDeltaMs, medianIntervalMs: [medianDeltaMs - margin, medianDeltaMs + margin] };
}

/** The average value of each conversation in the column. */
function valuesOf(column: RatioColumn): Float64Array {
  const { sums, counts } = column;
  const values = new Float64Array(rowsWithValue(column));
  let known = 0;
  for (let place = 0; place < sums.length; place++) {
    if (counts[place] !== 0) values[known++] = sums[place]! / counts[place]!;
  }
  return values;
}

function varianceOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length;
}

function intervalOf(sorted: Float64Array, level: number): [low: number, high: number] {
  return [quantileOfSorted(sorted, level / 2)!, quantileOfSorted(sorted, 1 - level / 2)!];
}

/** What an interval of a difference says: its verdict, except that there are too few. */
export function verdictOf([low, high]: readonly [number, number]): Exclude<Verdict, 'too few'> {
  if (high < 0) return 'faster';
  return low > 0 ? 'slower' : 'no clear change';
}

function zip<Left, Right>(left: readonly Left[], right: readonly Right[]): [Left, Right][] {
  return left.map((value, index) => [value, right[index]!]);
}

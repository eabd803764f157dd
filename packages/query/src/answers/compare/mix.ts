import { isFailure } from '@convotel/conventions';
import { quantileOfSorted } from '../../model/numbers.ts';
import type { StepDurations } from '../../questions.ts';
import { zoneOffsetSeconds } from '../../time/instant.ts';
import { normalQuantile, normalTail, percentOf } from '../intervals.ts';
import type { RatioColumn } from './bootstrap-means.ts';

/** Factors that may differ between two sides although nothing has become faster or slower. */
export type MixFactor = 'hour of day' | 'error share' | 'retries' | 'models' | 'text lengths';

/** A factor by which the sides differ. */
export interface MixChange {
  factor: MixFactor;
  /** Percentage of one side's conversations that would have to change for the distributions to be equal. */
  distancePct: number;
}

/** How the mix of two sides differs, and the group of similar conversations of each row. */
export interface Mix {
  changes: MixChange[];
  groups: readonly [before: readonly string[], after: readonly string[]];
}

/** The difference of the averages within groups of similar conversations. */
export interface DifferenceWithinGroups {
  /** Mean of the differences of the groups, weighted by their share of conversations. */
  deltaMs: number;
  /** 95 % confidence interval of `deltaMs`. */
  intervalMs: [low: number, high: number];
  /** Number of groups with conversations on both sides. */
  groups: number;
  /** Percentage of the row's conversations that are in these groups. */
  conversationsPct: number;
}

/** Minimum number of conversations on a side to compare the mix. */
const MIN_CONVERSATIONS_FOR_MIX = 20;
/** Minimum distance for a warning. */
const CHANGED_FROM_PCT = 5;
/** Probability of a false warning, over all factors. */
const SIGNIFICANCE_LEVEL = 0.05;
/** Rarer classes of conversations are merged. */
const MIN_IN_CLASS = 5;
const HOURS_PER_CLASS = 4;
/** Minimum number of conversations of a group on a side for an estimate of the variance. */
const MIN_IN_GROUP = 3;

const SECONDS_PER_HOUR = 3600;
const NANO_PER_SECOND = 1_000_000_000n;

/**
 * Compares the mix of conversations of the two sides: by 4-hour intervals of the day in `timeZone` (only `withHours`),
 * by whether they failed or were retried, by the models of their steps, and by quartiles of the text length. A factor
 * has changed if the distance of the two distributions is at least 5 % and a χ² test is significant (p < 0.05, by
 * Holm's method over all factors).
 */
export function compareMix(
  before: StepDurations,
  after: StepDurations,
  { timeZone, withHours }: { timeZone: string; withHours: boolean },
): Mix {
  const sides = [before, after] as const;
  const groups = sides.map(({ traceIds }) => traceIds.map(() => '')) as [string[], string[]];
  const changes: MixChange[] = [];
  if (sides.some(({ traceIds }) => traceIds.length < MIN_CONVERSATIONS_FOR_MIX)) return { changes, groups };
  const lengths = sides.map(textLengths);
  const bounds = quarters(lengths.flatMap((side) => [...side]));
  const classesBy: Record<MixFactor, (side: 0 | 1) => string[]> = {
    'hour of day': (side) => (withHours ? hoursOfDay(sides[side], timeZone) : []),
    'error share': (side) => sides[side].outcomes.map((outcome) => String(outcome !== 'open' && isFailure(outcome))),
    retries: (side) => [...retriesOf(sides[side])].map((retries) => String(retries > 0)),
    models: (side) => modelsOf(sides[side]),
    'text lengths': (side) => [...lengths[side]!].map((length) => String(bounds.findIndex((bound) => length <= bound))),
  };
  const compared = (Object.keys(classesBy) as MixFactor[]).flatMap((factor) => {
    const classes = mergeRare(classesBy[factor](0), classesBy[factor](1));
    const found = distanceBetween(...classes);
    return found === undefined ? [] : [{ factor, classes, ...found }];
  });
  const unlikely = rejectedByHolm(compared.map(({ chance }) => chance));
  for (const [place, { factor, classes, distance }] of compared.entries()) {
    if (!unlikely.has(place) || distance * 100 < CHANGED_FROM_PCT) continue;
    changes.push({ factor, distancePct: percentOf(distance, 1) });
    groups.forEach((side, index) => side.forEach((group, row) => (side[row] = `${group} ${classes[index]![row]!}`)));
  }
  return { changes, groups };
}

function hoursOfDay({ startTimesUnixNano }: StepDurations, timeZone: string): string[] {
  return [...startTimesUnixNano].map((start) => {
    const seconds = Number(start / NANO_PER_SECOND);
    const hour = Math.floor((((seconds + zoneOffsetSeconds(seconds, timeZone)) / SECONDS_PER_HOUR) % 24) + 24) % 24;
    return String(Math.floor(hour / HOURS_PER_CLASS));
  });
}

function retriesOf({ traceIds, steps }: StepDurations): Uint32Array {
  const retries = new Uint32Array(traceIds.length);
  for (const { rows, traits } of steps) {
    rows.forEach((row, place) => (retries[row] = retries[row]! + (traits?.retries[place] ?? 0)));
  }
  return retries;
}

/** The models of all steps of each conversation, as one string. */
function modelsOf({ traceIds, steps }: StepDurations): string[] {
  const models = traceIds.map(() => [] as string[]);
  for (const { step, rows, traits } of steps) {
    rows.forEach((row, place) => {
      const model = traits?.models[place] ?? '';
      if (model !== '') models[row]!.push(JSON.stringify([step, model]));
    });
  }
  return models.map((each) => each.sort().join());
}

/** Total input length of all steps of each conversation; NaN if unknown. */
function textLengths({ traceIds, steps }: StepDurations): Float64Array {
  const lengths = new Float64Array(traceIds.length).fill(Number.NaN);
  for (const { rows, traits } of steps) {
    rows.forEach((row, place) => {
      const length = traits?.inputChars[place] ?? Number.NaN;
      if (!Number.isNaN(length)) lengths[row] = length + (Number.isNaN(lengths[row]!) ? 0 : lengths[row]!);
    });
  }
  return lengths;
}

function quarters(lengths: readonly number[]): number[] {
  const sorted = lengths.filter((length) => !Number.isNaN(length)).sort((a, b) => a - b);
  return [0.25, 0.5, 0.75, 1].map((share) => quantileOfSorted(sorted, share) ?? Number.NaN);
}

function mergeRare(before: string[], after: string[]): readonly [string[], string[]] {
  const counts = countsOf([...before, ...after]);
  const merged = (each: string): string => ((counts.get(each) ?? 0) < MIN_IN_CLASS ? 'rare' : each);
  return [before.map(merged), after.map(merged)];
}

function countsOf(classes: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of classes) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}

/**
 * The indices of the tests that are significant by Holm's method (*A simple sequentially rejective multiple test
 * procedure*, 1979): without any difference, at most 5 % of samples have one.
 */
function rejectedByHolm(chances: readonly number[]): Set<number> {
  const places = [...chances.keys()].sort((a, b) => chances[a]! - chances[b]!);
  const kept = places.findIndex((place, rank) => chances[place]! > SIGNIFICANCE_LEVEL / (places.length - rank));
  return new Set(kept === -1 ? places : places.slice(0, kept));
}

/**
 * Half the sum of the differences of all shares, and the probability (χ²) that two samples of the same distribution
 * differ that much. Undefined if there is only one class.
 */
function distanceBetween(
  before: readonly string[],
  after: readonly string[],
): { distance: number; chance: number } | undefined {
  const [countsBefore, countsAfter] = [countsOf(before), countsOf(after)];
  const all = before.length + after.length;
  let distance = 0;
  let chiSquared = 0;
  const classes = new Set([...before, ...after]);
  for (const each of classes) {
    const [one, other] = [countsBefore.get(each) ?? 0, countsAfter.get(each) ?? 0];
    distance += Math.abs(one / before.length - other / after.length) / 2;
    const expectedBefore = ((one + other) * before.length) / all;
    const expectedAfter = one + other - expectedBefore;
    chiSquared += (one - expectedBefore) ** 2 / expectedBefore + (other - expectedAfter) ** 2 / expectedAfter;
  }
  return classes.size < 2 ? undefined : { distance, chance: chiSquaredTail(chiSquared, classes.size - 1) };
}

/** By Wilson and Hilferty (*The Distribution of Chi-square*, 1931). */
function chiSquaredTail(value: number, degrees: number): number {
  const variance = 2 / (9 * degrees);
  const z = (Math.cbrt(value / degrees) - (1 - variance)) / Math.sqrt(variance);
  return z >= 0 ? normalTail(z) : 1 - normalTail(-z);
}

/**
 * The differences of the averages of `columns` (after − before) within each group of similar conversations, weighted by
 * the number of conversations of both sides (direct standardization). Undefined if too few groups have both sides.
 */
export function differenceWithinGroups(
  columns: readonly [RatioColumn, RatioColumn],
  { groups }: Mix,
): DifferenceWithinGroups | undefined {
  const [before, after] = columns.map((column, side) => measureGroups(column, groups[side]!)) as [
    Map<string, GroupMean>,
    Map<string, GroupMean>,
  ];
  const shared = [...before].flatMap(([group, one]) => {
    const other = after.get(group);
    const isEnough = other !== undefined && Math.min(one.conversations, other.conversations) >= MIN_IN_GROUP;
    return isEnough ? [{ one, other, weight: one.conversations + other.conversations }] : [];
  });
  const compared = shared.reduce((sum, { weight }) => sum + weight, 0);
  if (compared === 0) return undefined;
  const all = [...before.values(), ...after.values()].reduce((sum, { conversations }) => sum + conversations, 0);
  let deltaMs = 0;
  let variance = 0;
  for (const { one, other, weight } of shared) {
    deltaMs += ((other.mean - one.mean) * weight) / compared;
    variance += (one.variance + other.variance) * (weight / compared) ** 2;
  }
  const margin = normalQuantile(0.025) * Math.sqrt(variance);
  return {
    deltaMs,
    intervalMs: [deltaMs - margin, deltaMs + margin],
    groups: shared.length,
    conversationsPct: percentOf(compared, all),
  };
}

/** The average of one side in one group, and its variance. */
interface GroupMean {
  conversations: number;
  mean: number;
  variance: number;
}

/** The variance of a ratio of sums is that of its residuals (Cochran, *Sampling Techniques*, 1977, section 2.11). */
function measureGroups({ rows, sums, counts }: RatioColumn, groups: readonly string[]): Map<string, GroupMean> {
  const placesByGroup = new Map<string, number[]>();
  rows.forEach((row, place) => {
    if (counts[place] === 0) return;
    const known = placesByGroup.get(groups[row]!);
    if (known === undefined) placesByGroup.set(groups[row]!, [place]);
    else known.push(place);
  });
  return new Map(
    [...placesByGroup].map(([group, places]) => {
      const sum = places.reduce((total, place) => total + sums[place]!, 0);
      const count = places.reduce((total, place) => total + counts[place]!, 0);
      const mean = sum / count;
      const squares = places.reduce((total, place) => total + (sums[place]! - mean * counts[place]!) ** 2, 0);
      const conversations = places.length;
      return [group, { conversations, mean, variance: (squares * conversations) / (conversations - 1) / count ** 2 }];
    }),
  );
}

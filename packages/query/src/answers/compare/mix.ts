import { isFailure } from '@convotel/conventions';
import { joined } from '../../model/numbers.ts';
import { quantilesOf } from '../../model/places.ts';
import type { StepDurations } from '../../questions.ts';
import { zoneOffsetSeconds } from '../../time/instant.ts';
import { normalQuantile, normalTail, percentOf } from '../intervals.ts';
import { ratioVariance } from './ratio-means.ts';
import type { RatioColumn } from './ratio-means.ts';

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
  /** The number of the group of each row. */
  groups: readonly [before: Uint32Array, after: Uint32Array];
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
const SECONDS_PER_QUARTER = 900;
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
  const changes: MixChange[] = [];
  let groups: Classes = bothSides((side) => new Uint32Array(sides[side].traceIds.length));
  if (sides.some(({ traceIds }) => traceIds.length < MIN_CONVERSATIONS_FOR_MIX)) return { changes, groups };
  const classesBy: Record<MixFactor, () => Classes> = {
    'hour of day': () => (withHours ? bothSides((side) => hoursOfDay(sides[side], timeZone)) : NO_CLASSES),
    'error share': () => bothSides((side) => failuresOf(sides[side])),
    retries: () => bothSides((side) => retriesOf(sides[side]).map((retries) => Math.min(retries, 1))),
    models: () => {
      const numbers = new Map<string, number>();
      return bothSides((side) => modelsOf(sides[side], numbers));
    },
    'text lengths': () => quartersOf(bothSides((side) => textLengths(sides[side]))),
  };
  const compared = (Object.keys(classesBy) as MixFactor[]).flatMap((factor) => {
    const classes = mergeRare(classesBy[factor]());
    const found = distanceBetween(classes);
    return found === undefined ? [] : [{ factor, classes, ...found }];
  });
  const unlikely = rejectedByHolm(compared.map(({ chance }) => chance));
  for (const [place, { factor, classes, distance }] of compared.entries()) {
    if (!unlikely.has(place) || distance * 100 < CHANGED_FROM_PCT) continue;
    changes.push({ factor, distancePct: percentOf(distance, 1) });
    groups = splitBy(groups, classes);
  }
  return { changes, groups };
}

/** The number of a class for each row of both sides. */
type Classes = readonly [before: Uint32Array, after: Uint32Array];

const NO_CLASSES: Classes = [new Uint32Array(), new Uint32Array()];

function bothSides<Found>(of: (side: 0 | 1) => Found): readonly [before: Found, after: Found] {
  return [of(0), of(1)];
}

/** Divides groups by classes: rows are in the same one only if both are the same. */
function splitBy(groups: Classes, classes: Classes): Classes {
  const numbers = new Map<number, number>();
  const count = classes.reduce((most, side) => side.reduce((greatest, each) => Math.max(greatest, each + 1), most), 1);
  return bothSides((side) => groups[side].map((group, row) => numberOf(group * count + classes[side][row]!, numbers)));
}

/** The number of `key`; a new one is the next. */
function numberOf<Key>(key: Key, numbers: Map<Key, number>): number {
  let number = numbers.get(key);
  if (number === undefined) numbers.set(key, (number = numbers.size));
  return number;
}

/** Looks up each quarter hour once. Offsets from UTC are multiples of it. */
function hoursOfDay({ startTimesUnixNano }: StepDurations, timeZone: string): Uint32Array {
  const classOfQuarter = new Map<number, number>();
  const classes = new Uint32Array(startTimesUnixNano.length);
  for (let row = 0; row < classes.length; row++) {
    const seconds = Number(startTimesUnixNano[row]! / NANO_PER_SECOND);
    const quarter = Math.floor(seconds / SECONDS_PER_QUARTER);
    let found = classOfQuarter.get(quarter);
    if (found === undefined) {
      const local = seconds + zoneOffsetSeconds(seconds, timeZone);
      const hour = Math.floor(((local / SECONDS_PER_HOUR) % 24) + 24) % 24;
      classOfQuarter.set(quarter, (found = Math.floor(hour / HOURS_PER_CLASS)));
    }
    classes[row] = found;
  }
  return classes;
}

function failuresOf({ outcomes }: StepDurations): Uint32Array {
  const failures = new Uint32Array(outcomes.length);
  for (let row = 0; row < outcomes.length; row++) {
    const outcome = outcomes[row]!;
    failures[row] = Number(outcome !== 'open' && isFailure(outcome));
  }
  return failures;
}

function retriesOf({ traceIds, steps }: StepDurations): Uint32Array {
  const retries = new Uint32Array(traceIds.length);
  for (const { rows, traits } of steps) {
    if (traits === undefined) continue;
    for (let place = 0; place < rows.length; place++) retries[rows[place]!]! += traits.retries[place]!;
  }
  return retries;
}

/**
 * The models of all steps of each conversation, as the number of the set. Rows are numbered step by step: by the set so
 * far, and the model of the step.
 */
function modelsOf({ traceIds, steps }: StepDurations, numbers: Map<string, number>): Uint32Array {
  const sets = new Uint32Array(traceIds.length).fill(numberOf('', numbers));
  // In the same order on both sides.
  const inOrder = steps.toSorted((a, b) => (a.step < b.step ? -1 : Number(a.step > b.step)));
  for (const { step, rows, traits } of inOrder) {
    if (traits === undefined) continue;
    const numbersByModel = new Map<string, Map<number, number>>();
    for (let place = 0; place < rows.length; place++) {
      const model = traits.models[place]!;
      if (model === '') continue;
      let numbersBySet = numbersByModel.get(model);
      if (numbersBySet === undefined) numbersByModel.set(model, (numbersBySet = new Map<number, number>()));
      const row = rows[place]!;
      let next = numbersBySet.get(sets[row]!);
      if (next === undefined) {
        next = numberOf(JSON.stringify([sets[row], step, model]), numbers);
        numbersBySet.set(sets[row]!, next);
      }
      sets[row] = next;
    }
  }
  return sets;
}

/** Total input length of all steps of each conversation; NaN if unknown. */
function textLengths({ traceIds, steps }: StepDurations): Float64Array {
  const lengths = new Float64Array(traceIds.length).fill(Number.NaN);
  for (const { rows, traits } of steps) {
    if (traits === undefined) continue;
    for (let place = 0; place < rows.length; place++) {
      const length = traits.inputChars[place]!;
      if (Number.isNaN(length)) continue;
      const row = rows[place]!;
      lengths[row] = length + (Number.isNaN(lengths[row]!) ? 0 : lengths[row]!);
    }
  }
  return lengths;
}

/** The quarter that each length is in, of all lengths of both sides; another number if it is unknown. */
function quartersOf(lengths: readonly [Float64Array, Float64Array]): Classes {
  const known = joined(...lengths).filter((length) => !Number.isNaN(length));
  const [first = 0, second = 0, third = 0] = quantilesOf(known, [0.25, 0.5, 0.75]);
  const quarterOf = (length: number): number => {
    if (Number.isNaN(length)) return 4;
    if (length <= second) return length <= first ? 0 : 1;
    return length <= third ? 2 : 3;
  };
  return bothSides((side) => {
    const classes = new Uint32Array(lengths[side].length);
    for (let row = 0; row < classes.length; row++) classes[row] = quarterOf(lengths[side][row]!);
    return classes;
  });
}

/** Gives the classes that are rare on both sides together the same number. */
function mergeRare(classes: Classes): Classes {
  const counts = classes.map(countsOf);
  const all = counts[0]!.length > counts[1]!.length ? counts[0]! : counts[1]!;
  const rare = all.length;
  const isRare = Uint8Array.from(all, (_count, each) =>
    Number((counts[0]![each] ?? 0) + (counts[1]![each] ?? 0) < MIN_IN_CLASS),
  );
  // Rarely are any, of which no row need be looked at.
  if (all.every((_count, each) => isRare[each] === 0 || (counts[0]![each] ?? 0) + (counts[1]![each] ?? 0) === 0)) {
    return classes;
  }
  return bothSides((side) => classes[side].map((each) => (isRare[each] === 1 ? rare : each)));
}

/** The number of rows of each class. */
function countsOf(classes: Uint32Array): Uint32Array {
  let length = 0;
  for (let row = 0; row < classes.length; row++) length = Math.max(length, classes[row]! + 1);
  const counts = new Uint32Array(length);
  for (let row = 0; row < classes.length; row++) counts[classes[row]!]! += 1;
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
function distanceBetween([before, after]: Classes): { distance: number; chance: number } | undefined {
  const [countsBefore, countsAfter] = [countsOf(before), countsOf(after)];
  const all = before.length + after.length;
  let [distance, chiSquared, classes] = [0, 0, 0];
  for (let each = 0; each < Math.max(countsBefore.length, countsAfter.length); each++) {
    const [one, other] = [countsBefore[each] ?? 0, countsAfter[each] ?? 0];
    if (one + other === 0) continue;
    classes += 1;
    distance += Math.abs(one / before.length - other / after.length) / 2;
    const expectedBefore = ((one + other) * before.length) / all;
    const expectedAfter = one + other - expectedBefore;
    chiSquared += (one - expectedBefore) ** 2 / expectedBefore + (other - expectedAfter) ** 2 / expectedAfter;
  }
  return classes < 2 ? undefined : { distance, chance: chiSquaredTail(chiSquared, classes - 1) };
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
    Map<number, GroupMean>,
    Map<number, GroupMean>,
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

/** The averages of the groups with a value. `groups` has the number of the group of each row. */
function measureGroups({ rows, sums, counts }: RatioColumn, groups: Uint32Array): Map<number, GroupMean> {
  const sizes = countsOf(groups);
  const conversations = new Uint32Array(sizes.length);
  const [sum, count, squares] = [0, 1, 2].map(() => new Float64Array(sizes.length));
  for (let place = 0; place < rows.length; place++) {
    if (counts[place] === 0) continue;
    const group = groups[rows[place]!]!;
    conversations[group]! += 1;
    sum![group]! += sums[place]!;
    count![group]! += counts[place]!;
  }
  for (let place = 0; place < rows.length; place++) {
    const group = groups[rows[place]!]!;
    if (counts[place] !== 0) squares![group]! += (sums[place]! - (sum![group]! / count![group]!) * counts[place]!) ** 2;
  }
  const means = new Map<number, GroupMean>();
  for (const [group, rowCount] of conversations.entries()) {
    if (rowCount === 0) continue;
    const variance = ratioVariance(squares![group]!, rowCount, count![group]!);
    means.set(group, { conversations: rowCount, mean: sum![group]! / count![group]!, variance });
  }
  return means;
}

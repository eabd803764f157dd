import type { RatioColumn } from './ratio-means.ts';

/** From more rows than this, as many random groups of rows are resampled instead. */
const MAX_RESAMPLED_ROWS = 5_000;

/**
 * Means of `columns` in `resamples` samples, each of as many rows as there are, drawn with replacement: the bootstrap
 * distribution of every mean (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 6 and 13).
 * All columns use the same samples. NaN if a sample has no values.
 *
 * More than 5,000 rows are first put into 5,000 groups at random, which are then resampled as if they were rows. That
 * leaves the variance of a mean as it is, estimated with 4,999 degrees of freedom: the length of an interval is off by
 * 1 % (one standard deviation), and the time no longer grows with the number of rows.
 *
 * A sample is represented by the number of times that each row is in it, and a mean by two weighted sums over the
 * column in order, which is several times as fast as collecting the rows one by one.
 */
export function bootstrapMeans(
  columns: readonly RatioColumn[],
  rowCount: number,
  resamples: number,
  random: Random,
): Float64Array[] {
  if (columns.length === 0) return [];
  if (rowCount > MAX_RESAMPLED_ROWS) {
    const groupOfRow = Uint16Array.from({ length: rowCount }, () => random() % MAX_RESAMPLED_ROWS);
    const grouped = columns.map((column) => sumByGroup(column, groupOfRow));
    return bootstrapMeans(grouped, MAX_RESAMPLED_ROWS, resamples, random);
  }
  const sums = columns.map((column) => sparseColumn(column.rows, column.sums, rowCount));
  const counts = columns.map((column) => sparseColumn(column.rows, column.counts, rowCount));
  const means = columns.map(() => new Float64Array(resamples));
  // A row would have to be drawn 65,536 times to overflow.
  const weights = new Uint16Array(rowCount);
  for (let resample = 0; resample < resamples; resample++) {
    drawWeights(weights, random);
    for (let column = 0; column < means.length; column++) {
      means[column]![resample] = weightedSum(sums[column]!, weights) / weightedSum(counts[column]!, weights);
    }
  }
  return means;
}

function sumByGroup({ rows, sums, counts }: RatioColumn, groupOfRow: Uint16Array): RatioColumn {
  const grouped = {
    rows: Uint32Array.from({ length: MAX_RESAMPLED_ROWS }, (_none, group) => group),
    sums: new Float64Array(MAX_RESAMPLED_ROWS),
    counts: new Uint32Array(MAX_RESAMPLED_ROWS),
  };
  rows.forEach((row, place) => {
    const group = groupOfRow[row]!;
    grouped.sums[group]! += sums[place]!;
    grouped.counts[group]! += counts[place]!;
  });
  return grouped;
}

/** Draws as many rows as there are, with replacement, and counts how often each was drawn. */
function drawWeights(weights: Uint16Array, random: Random): void {
  weights.fill(0);
  const rowCount = weights.length;
  // The probabilities of rows differ by at most rowCount / 2^32.
  const rowsPerDraw = rowCount / 0x1_0000_0000;
  for (let draw = 0; draw < rowCount; draw++) {
    const row = (random() * rowsPerDraw) | 0;
    weights[row] = weights[row]! + 1;
  }
}

/** A column of numbers as its most common value and the rows that differ from it, for fast weighted sums. */
export interface SparseColumn {
  base: number;
  rows: Uint32Array;
  /** Value − `base` for each of `rows`. */
  deviations: Float64Array;
}

/** Converts the `values` of `rows`, with 0 in all other of the `rowCount` rows. */
export function sparseColumn(rows: Uint32Array, values: Float64Array | Uint32Array, rowCount: number): SparseColumn {
  const base = mostCommon(values, rowCount - rows.length);
  const differing: number[] = [];
  const deviations: number[] = [];
  const note = (row: number, value: number): void => {
    if (value === base) return;
    differing.push(row);
    deviations.push(value - base);
  };
  let next = 0;
  rows.forEach((row, place) => {
    // If the base is 0, as for steps that few conversations have, the rows in between can be skipped.
    if (base !== 0) for (; next < row; next++) note(next, 0);
    note(row, values[place]!);
    next = row + 1;
  });
  if (base !== 0) for (; next < rowCount; next++) note(next, 0);
  return { base, rows: Uint32Array.from(differing), deviations: Float64Array.from(deviations) };
}

/** Sum of the column if row `i` counts `weights[i]` times. The weights must add up to the number of rows. */
export function weightedSum(column: SparseColumn, weights: Uint16Array): number {
  const { base, rows, deviations } = column;
  // Four independent sums, because with a single one each addition would wait for the previous one.
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const length = rows.length;
  let index = 0;
  for (; index + 3 < length; index += 4) {
    first += weights[rows[index]!]! * deviations[index]!;
    second += weights[rows[index + 1]!]! * deviations[index + 1]!;
    third += weights[rows[index + 2]!]! * deviations[index + 2]!;
    fourth += weights[rows[index + 3]!]! * deviations[index + 3]!;
  }
  for (; index < length; index++) first += weights[rows[index]!]! * deviations[index]!;
  return base * weights.length + (first + second + third + fourth);
}

function mostCommon(values: Float64Array | Uint32Array, zeros: number): number {
  const sorted = values.toSorted();
  let best = 0;
  let bestRun = 0;
  let run = 0;
  for (let index = 0; index < sorted.length; index++) {
    run = index > 0 && sorted[index] === sorted[index - 1] ? run + 1 : 1;
    const count = sorted[index] === 0 ? run + zeros : run;
    if (count > bestRun) {
      bestRun = count;
      best = sorted[index]!;
    }
  }
  return zeros > bestRun ? 0 : best;
}

// Looked up once, because the global lookup is measurable in millions of draws.
const { imul } = Math;

/** Returns the next number of a sequence of uniformly distributed integers in `[0, 2^32)`. */
export type Random = () => number;

/**
 * A sequence of 32-bit random numbers that depends only on `seed`: xoshiro128** 1.1 by David Blackman and Sebastiano
 * Vigna (public domain, prng.di.unimi.it). The state is initialised from the seed by SplitMix32 (the 32-bit finaliser
 * of MurmurHash3 over a Weyl sequence), so that similar seeds give different sequences.
 *
 * Not cryptographically secure.
 */
export function randomFrom(seed: number): Random {
  let weyl = seed | 0;
  const splitMix = (): number => {
    weyl = (weyl + 0x9e3779b9) | 0;
    let mixed = weyl;
    mixed = imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
  let a = splitMix();
  let b = splitMix();
  let c = splitMix();
  let d = splitMix();
  return () => {
    const scrambled = imul(b, 5);
    const result = imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
}

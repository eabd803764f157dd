/**
 * Means of `columns` in `resamples` samples, each of as many rows as there are, drawn with replacement: the bootstrap
 * distribution of every mean (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 6 and 13).
 * One draw of rows serves all columns. NaN where a sample has nothing to count.
 *
 * A sample is drawn as how often each row is in it, and a mean is then two sums over the column under those weights,
 * read in order: several times as fast as gathering the rows one by one.
 */
export function bootstrapMeans(
  columns: readonly RatioColumn[],
  rowCount: number,
  resamples: number,
  random: Random,
): Float64Array[] {
  const sums = columns.map((column) => sparseColumn(column.rows, column.sums, rowCount));
  const counts = columns.map((column) => sparseColumn(column.rows, column.counts, rowCount));
  const means = columns.map(() => new Float64Array(resamples));
  if (columns.length === 0) return means;
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

/** Draws as many rows as there are, and notes how often each was drawn. */
function drawWeights(weights: Uint16Array, random: Random): void {
  weights.fill(0);
  const rowCount = weights.length;
  // Rows are likelier than others by at most rowCount / 2^32.
  const rowsPerDraw = rowCount / 0x1_0000_0000;
  for (let draw = 0; draw < rowCount; draw++) {
    const row = (random() * rowsPerDraw) | 0;
    weights[row] = weights[row]! + 1;
  }
}

/**
 * A mean over many rows as a ratio of two sums: what the rows add up to, by how many things that is. A row may hold
 * several things (a step that ran twice) or none; rows, not things, are what is drawn again in a bootstrap.
 */
export interface RatioColumn {
  /** The rows that the column says anything about, ascending; all others add nothing. */
  rows: Uint32Array;
  /** What each of `rows` adds to the sum. */
  sums: Float64Array;
  /** How many things that is. */
  counts: Uint32Array;
}

/** A column of numbers as its most common value and the rows that differ from it: fast to add up under weights. */
export interface SparseColumn {
  base: number;
  rows: Uint32Array;
  /** Value − `base`, for each of `rows`. */
  deviations: Float64Array;
}

/** Finds the most common value among `values`, those of `rows` of `rowCount`, and 0 for all others; and what differs. */
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
    // Where 0 is the base, which it is for steps that few conversations have, the rows in between need no look.
    if (base !== 0) for (; next < row; next++) note(next, 0);
    note(row, values[place]!);
    next = row + 1;
  });
  if (base !== 0) for (; next < rowCount; next++) note(next, 0);
  return { base, rows: Uint32Array.from(differing), deviations: Float64Array.from(deviations) };
}

/** Sum of the column when row `i` counts `weights[i]` times; the weights add up to the number of rows. */
export function weightedSum(column: SparseColumn, weights: Uint16Array): number {
  const { base, rows, deviations } = column;
  // Four sums side by side: one alone would wait for each addition to finish.
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

// Taken once: a draw is made millions of times, and looking a global up in each shows.
const { imul } = Math;

/** Gives the next number of a sequence, each whole number in `[0, 2^32)` as likely as any other. */
export type Random = () => number;

/**
 * A sequence of 32-bit random numbers that is the same for the same `seed` everywhere: xoshiro128** 1.1 by David
 * Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it), its state filled from the seed by SplitMix32
 * (the 32-bit finaliser of MurmurHash3 over a Weyl sequence), so that seeds close together give unlike sequences.
 *
 * For statistics, not for secrets.
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

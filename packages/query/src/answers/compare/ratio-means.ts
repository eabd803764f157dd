/**
 * A mean over many rows as a ratio of two sums: the total of all values, divided by their number. A row may have
 * several values (a step that ran twice) or none. Rows are sampled, not values.
 */
export interface RatioColumn {
  /** The rows with a value, ascending. */
  rows: Uint32Array;
  /** Sum of the values of each of `rows`. */
  sums: Float64Array;
  /** Number of values of each of `rows`. */
  counts: Uint32Array;
}

/** Number of rows with a value. Rows are sampled, so many values in few rows are not enough. */
export function rowsWithValue({ counts }: RatioColumn): number {
  let rows = 0;
  for (let place = 0; place < counts.length; place++) if (counts[place]! > 0) rows += 1;
  return rows;
}

/**
 * The variance of the mean of a column: that of its residuals, as a ratio of sums has it (Cochran, *Sampling
 * Techniques*, 1977, section 2.11).
 */
export function varianceOfMean({ sums, counts }: RatioColumn): number {
  let [sum, count, rows] = [0, 0, 0];
  for (let place = 0; place < sums.length; place++) {
    if (counts[place] === 0) continue;
    sum += sums[place]!;
    count += counts[place]!;
    rows += 1;
  }
  const mean = sum / count;
  let squares = 0;
  for (let place = 0; place < sums.length; place++) {
    if (counts[place] !== 0) squares += (sums[place]! - mean * counts[place]!) ** 2;
  }
  return ratioVariance(squares, rows, count);
}

/** The variance of a mean over `count` values in `rows` rows, of which `squares` is the sum of the squared residuals. */
export function ratioVariance(squares: number, rows: number, count: number): number {
  return (squares * rows) / (rows - 1) / count ** 2;
}

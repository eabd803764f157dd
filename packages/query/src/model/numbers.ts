/** Nanoseconds as milliseconds, fractions included. */
export function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}

/**
 * The quantile at `probability` (0 to 1) of values in ascending order, by linear interpolation at index
 * (n−1)·probability (type 7 of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996). Undefined where
 * there is no value.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, probability: number): number | undefined {
  if (sorted.length === 0) return undefined;
  const index = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(index)]!;
  const above = sorted[Math.ceil(index)]!;
  return below + (above - below) * (index - Math.floor(index));
}

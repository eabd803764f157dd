/**
 * The value at rank `rank` (0 to 1) of values in ascending order, by linear interpolation at index (n−1)·rank (type 7
 * of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996). Undefined where there is no value.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, rank: number): number | undefined {
  if (sorted.length === 0) return undefined;
  const index = (sorted.length - 1) * rank;
  const below = sorted[Math.floor(index)]!;
  const above = sorted[Math.ceil(index)]!;
  return below + (above - below) * (index - Math.floor(index));
}

import { quantileOfSorted } from './numbers.ts';

/** The confidence level of the intervals. */
const LEVEL = 0.95;

/** Relative errors of the likelihoods are smaller. */
const ROUNDING = 1e-9;

/** A 95 % confidence interval of a quantile. An end is absent if there are too few values for it. */
export interface QuantileInterval {
  lowMs?: number;
  highMs?: number;
}

/** The interval with ends at `low` and `high`. */
export function quantileInterval(lowMs: number | undefined, highMs: number | undefined): QuantileInterval {
  return { ...(lowMs !== undefined && { lowMs }), ...(highMs !== undefined && { highMs }) };
}

/** A quantile of sorted values for each of `probabilities`, and with `intervals` its confidence interval. */
export function quantilesOfSorted(
  sortedMs: ArrayLike<number>,
  probabilities: readonly number[],
  intervals: boolean,
): { quantilesMs: number[]; quantileIntervalsMs?: QuantileInterval[] } {
  const { length } = sortedMs;
  const some = length === 0 ? [] : probabilities;
  const valueAt = (index: number | undefined): number | undefined =>
    index === undefined ? undefined : sortedMs[index];
  return {
    quantilesMs: some.map((probability) => quantileOfSorted(sortedMs, probability)!),
    ...(intervals && {
      quantileIntervalsMs: some.map((probability) => {
        const [low, high] = orderStatisticInterval(length, probability);
        return quantileInterval(valueAt(low), valueAt(high));
      }),
    }),
  };
}

/**
 * The indices, from 0 to `count` − 1, of two of `count` sorted values that enclose the quantile at `probability` in at
 * least 95 % of samples of any distribution. An end is undefined if there are too few values.
 *
 * The number of values below the quantile is binomial (David and Nagaraja, *Order Statistics*, 2003, chapter 7.1). Each
 * end excludes at most 2.5 %; then the interval is shortened at one end as long as it keeps 95 %.
 */
export function orderStatisticInterval(
  count: number,
  probability: number,
): [low: number | undefined, high: number | undefined] {
  const { first, likelihoods } = likelyNumbersBelow(count, probability);
  const tail = (1 - LEVEL) / 2;
  // Excludes the cases that `first` to `low` − 1, or `high` + 1 to the last, values are below the quantile.
  let low = 0;
  let lowTail = 0;
  while (lowTail + likelihoods[low]! <= tail) lowTail += likelihoods[low++]!;
  let high = likelihoods.length - 1;
  let highTail = 0;
  while (highTail + likelihoods[high]! <= tail) highTail += likelihoods[high--]!;
  for (;;) {
    const [moreLow, moreHigh] = [likelihoods[low]!, likelihoods[high]!];
    if (low >= high || Math.min(moreLow, moreHigh) > 1 - LEVEL - lowTail - highTail) break;
    // Where both are as likely, the low end, whichever of the two a rounding error makes larger.
    if (moreLow <= moreHigh * (1 + ROUNDING)) lowTail += likelihoods[low++]!;
    else highTail += likelihoods[high--]!;
  }
  return [first + low === 0 ? undefined : first + low - 1, first + high === count ? undefined : first + high];
}

/**
 * The probabilities that `first`, `first` + 1, … of `count` values are below the quantile at `probability`, without
 * tails of a total probability of about 10⁻¹⁵.
 */
export function likelyNumbersBelow(count: number, probability: number): { first: number; likelihoods: Float64Array } {
  if (probability === 0 || probability === 1) return { first: count * probability, likelihoods: Float64Array.of(1) };
  const mean = count * probability;
  const reach = 8 * Math.sqrt(mean * (1 - probability)) + 16;
  const first = Math.max(0, Math.floor(mean - reach));
  const last = Math.min(count, Math.ceil(mean + reach));
  const likelihoods = new Float64Array(last - first + 1);
  const logWays = logFactorial(count) - logFactorial(first) - logFactorial(count - first);
  likelihoods[0] = Math.exp(logWays + first * Math.log(probability) + (count - first) * Math.log1p(-probability));
  // Each from the one before: by factorials, a command about 200,000 values would spend a tenth of its time here.
  const odds = probability / (1 - probability);
  for (let below = first + 1; below <= last; below++) {
    likelihoods[below - first] = (likelihoods[below - first - 1]! * odds * (count - below + 1)) / below;
  }
  return { first, likelihoods };
}

/** The logarithm of n!, by Stirling's series (Abramowitz and Stegun 6.1.41), exact to 10 digits. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}

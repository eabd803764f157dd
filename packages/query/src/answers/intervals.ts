import { likelyNumbersBelow } from '../model/order-statistics.ts';
import { valueAtPlace } from '../model/places.ts';

/**
 * `part` as a percentage of `whole`, rounded like every `…Pct` to two decimals, halves away from zero. 0 if `whole` is
 * 0. Multiplies before dividing, so that halves are exact.
 */
export function percentOf(part: number, whole: number): number {
  if (whole === 0) return 0;
  const hundredths = (part * 10_000) / whole;
  // Math.round rounds halves up, so the sign is handled separately; `+ 0` turns −0 into 0.
  return (Math.sign(hundredths) * Math.round(Math.abs(hundredths))) / 100 + 0;
}

/** {@link percentOf} for durations in nanoseconds, exact for any length; undefined if `whole` is 0. */
export function percentOfNano(part: bigint, whole: bigint): number | undefined {
  if (whole === 0n) return undefined;
  return Number((part * 20_000n + whole) / (2n * whole)) / 100;
}

/** Converts milliseconds to nanoseconds, rounded to an integer. */
export function nanosecondsOf(durationMs: number): bigint {
  return BigInt(Math.round(durationMs * 1_000_000));
}

/** The 97.5 % quantile of the standard normal distribution. */
const Z_95 = 1.959_963_984_540_054;

/** Both ends of the 95 % confidence interval of a proportion, in per cent, rounded like every percentage. */
export type PercentInterval = [lowPct: number, highPct: number];

/**
 * The 95 % confidence interval of the proportion that `part` of `whole` is an estimate of, by Wilson's score (*Probable
 * Inference, the Law of Succession, and Statistical Inference*, 1927). Unlike the normal approximation, it is valid at
 * 0 % and 100 %. Undefined if `whole` is 0.
 */
export function wilsonInterval(part: number, whole: number): PercentInterval | undefined {
  if (whole === 0) return undefined;
  const share = part / whole;
  const zz = Z_95 ** 2;
  const centre = share + zz / (2 * whole);
  const margin = Z_95 * Math.sqrt((share * (1 - share)) / whole + zz / (4 * whole ** 2));
  const scale = 1 + zz / whole;
  // At 0 and 1, rounding errors would lead slightly outside the range.
  const low = part === 0 ? 0 : (centre - margin) / scale;
  const high = part === whole ? 1 : (centre + margin) / scale;
  return [percentOf(low, 1), percentOf(high, 1)];
}

/**
 * The standard error of the median of `values`, from one value on either side of it, by Price and Bonett (*Estimating the
 * Variance of the Sample Median*, 2001). Requires at least 4 values, none of which is NaN, and reorders them.
 */
export function medianStandardError(values: Float64Array): number {
  const count = values.length;
  const place = Math.max(1, Math.round((count + 1) / 2 - Math.sqrt(count)));
  const { first, likelihoods } = likelyNumbersBelow(count, 0.5);
  const tail = likelihoods.subarray(0, Math.max(0, place - first)).reduce((sum, likelihood) => sum + likelihood, 0);
  return (valueAtPlace(values, count - place) - valueAtPlace(values, place - 1)) / (2 * normalQuantile(tail));
}

/**
 * The 95 % confidence interval of Spearman's `rho` over `count` pairs, by Fisher's transformation with the standard
 * error of Bonett and Wright (*Sample size requirements for estimating Pearson, Kendall and Spearman correlations*,
 * 2000). Undefined for fewer than four pairs.
 */
export function spearmanInterval(rho: number, count: number): [low: number, high: number] | undefined {
  if (count < 4) return undefined;
  if (Math.abs(rho) === 1) return [rho, rho];
  const margin = Z_95 * Math.sqrt((1 + rho ** 2 / 2) / (count - 3));
  return [Math.tanh(Math.atanh(rho) - margin), Math.tanh(Math.atanh(rho) + margin)];
}

/** Approximate probability that `count` unrelated pairs have a rank correlation at least as far from 0 as `rho`. */
export function spearmanProbability(rho: number, count: number): number {
  if (Math.abs(rho) === 1) return 0;
  return 2 * normalTail((Math.abs(Math.atanh(rho)) * Math.sqrt(count - 3)) / Math.sqrt(1.06));
}

/** Probability that a standard normal variable exceeds `z` ≥ 0 (Abramowitz and Stegun 26.2.17, error < 7.5 · 10⁻⁸). */
export function normalTail(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z);
  const series =
    t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return (series * Math.exp(-(z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The value that a standard normal variable exceeds with `probability`, from 0 to ½ (Abramowitz and Stegun 26.2.23, refined). */
export function normalQuantile(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(probability));
  let z =
    t - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t) / (1 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t ** 3);
  // One step of Newton's method.
  z += ((normalTail(z) - probability) * Math.sqrt(2 * Math.PI)) / Math.exp(-(z * z) / 2);
  return z;
}

/**
 * The value that Student's t with `degrees` of freedom exceeds with `probability`, from 0 to ½, by the expansion of
 * Abramowitz and Stegun 26.7.5; accurate to 1 % from 9 degrees on.
 */
export function studentQuantile(probability: number, degrees: number): number {
  const z = normalQuantile(probability);
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}

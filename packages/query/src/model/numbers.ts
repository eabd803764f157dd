import { THRESHOLD } from '@convotel/conventions';
import type { SpanRecord } from './span-record.ts';

export const NANO_PER_MS = 1_000_000n;

/** Completed steps of this duration or longer are excluded from averages; in nanoseconds. */
export const TOO_LONG_NANO = BigInt(THRESHOLD.longestCountedStepMs) * NANO_PER_MS;

/** Whether averages count a span: completed and shorter than 60 s. */
export function isCounted({ outcome, durationNano }: SpanRecord): boolean {
  return outcome === 'completed' && durationNano < TOO_LONG_NANO;
}

/**
 * An object with properties of any names, `__proto__` included. Unlike that of `Object.fromEntries`, it is a dictionary
 * from the beginning: otherwise V8 keeps a hidden class for each new name, which takes ten times as long if there are as
 * many names as ids.
 */
export function recordOf<Value>(entries: Iterable<readonly [name: string, value: Value]>): Record<string, Value> {
  const record = Object.create(null) as Record<string, Value>;
  for (const [name, value] of entries) record[name] = value;
  return Object.setPrototypeOf(record, Object.prototype) as Record<string, Value>;
}

/** Nanoseconds as milliseconds, fractions included. */
export function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}

export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** `left`, followed by `right`. */
export function joined(left: Float64Array, right: Float64Array): Float64Array {
  const all = new Float64Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  return all;
}

/**
 * The quantile at `probability` (0 to 1) of values in ascending order, by linear interpolation at index
 * (n−1)·probability (type 7 of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996). Undefined if there
 * are no values.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, probability: number): number | undefined {
  if (sorted.length === 0) return undefined;
  const index = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(index)]!;
  const above = sorted[Math.ceil(index)]!;
  return below + (above - below) * (index - Math.floor(index));
}

/** Whole nanoseconds as milliseconds. Exact to the double: durations are far below 2^53 ns (104 days). */
export function millisecondsOf(durationNano: bigint): number {
  return Number(durationNano) / 1_000_000;
}

/** Milliseconds as whole nanoseconds, rounded. */
export function nanosecondsOf(durationMs: number): bigint {
  return BigInt(Math.round(durationMs * 1_000_000));
}

/**
 * `part` as a percentage of `whole`, rounded as every `…Pct` is: to two decimals, halves away from zero.
 * 0 where `whole` is 0. Multiplies before it divides, so that counts which lie on a half are found there exactly.
 */
export function percentOf(part: number, whole: number): number {
  if (whole === 0) return 0;
  const hundredths = (part * 10_000) / whole;
  // Math.round sends halves up, so the sign is put aside; `+ 0` turns −0 into 0.
  return (Math.sign(hundredths) * Math.round(Math.abs(hundredths))) / 100 + 0;
}

/** {@link percentOf} for durations in whole nanoseconds, exact at any length; undefined where `whole` is 0. */
export function percentOfNano(part: bigint, whole: bigint): number | undefined {
  if (whole === 0n) return undefined;
  return Number((part * 20_000n + whole) / (2n * whole)) / 100;
}

/** Milliseconds as whole nanoseconds, rounded. */
export function nanosecondsOf(durationMs: number): bigint {
  return BigInt(Math.round(durationMs * 1_000_000));
}

/** Where a step lies on the axis of its conversation. */
export interface Placed {
  offsetMs: number;
  durationMs: number;
}

/** Gaps narrower than this share of the whole cannot be seen. */
const MIN_SHARE = 0.002;

/** The stretches between the first start and the last end that no step covers, for drawing. */
export function gapsBetween(steps: readonly Placed[]): { fromMs: number; untilMs: number }[] {
  const byStart = steps.toSorted((a, b) => a.offsetMs - b.offsetMs);
  const gaps: { fromMs: number; untilMs: number }[] = [];
  let coveredUntilMs = byStart[0]?.offsetMs ?? 0;
  for (const { offsetMs, durationMs } of byStart) {
    if (offsetMs > coveredUntilMs) gaps.push({ fromMs: coveredUntilMs, untilMs: offsetMs });
    coveredUntilMs = Math.max(coveredUntilMs, offsetMs + durationMs);
  }
  return gaps.filter(({ fromMs, untilMs }) => untilMs - fromMs > coveredUntilMs * MIN_SHARE);
}

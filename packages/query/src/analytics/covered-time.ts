/** How long at least one of `intervals` (`[start, end]`, in any order) lasts: the length of their union. */
export function coveredNano(intervals: readonly (readonly [start: bigint, end: bigint])[]): bigint {
  const byStart = [...intervals].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let covered = 0n;
  let coveredUntil: bigint | undefined;
  for (const [start, end] of byStart) {
    const from = coveredUntil === undefined || start > coveredUntil ? start : coveredUntil;
    if (end > from) covered += end - from;
    if (coveredUntil === undefined || end > coveredUntil) coveredUntil = end;
  }
  return covered;
}

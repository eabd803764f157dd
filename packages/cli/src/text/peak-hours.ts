/**
 * The most conversations that any of `rows` has, when that says something: undefined for a single row, and where all
 * rows have as many.
 */
export function peakOf(rows: readonly { conversations: number }[]): number | undefined {
  const counts = rows.map((row) => row.conversations);
  const peak = Math.max(...counts);
  return counts.some((count) => count < peak) ? peak : undefined;
}

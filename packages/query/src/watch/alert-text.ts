/** A percentage with at least one and at most two decimals: `25.0%`, `33.33%`. */
export function percentText(percentage: number): string {
  return `${percentage.toFixed(2).replace(/0$/, '')}%`;
}

/** Milliseconds in seconds, as many decimals as it takes, at most three: `8s`, `8.5s`. */
export function secondsText(durationMs: number): string {
  return `${Number((durationMs / 1000).toFixed(3))}s`;
}

/** A percentage with at least one and at most two decimals: `25.0%`, `33.33%`. */
export function percentText(percentage: number): string {
  return `${percentage.toFixed(2).replace(/0$/, '')}%`;
}

/** A limit as it was asked for, in seconds without needless decimals: `8s`, `8.5s`. */
export function limitText(limitMs: number): string {
  return `${limitMs / 1000}s`;
}

/** A measured duration in seconds, to the millisecond: `6.214s`. */
export function measuredText(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(3)}s`;
}

/** The length of a window in the largest unit that it is a whole number of: `1h`, `90m`, `45s`. */
export function windowText(windowMs: number): string {
  if (windowMs % 3_600_000 === 0) return `${windowMs / 3_600_000}h`;
  return windowMs % 60_000 === 0 ? `${windowMs / 60_000}m` : `${windowMs / 1000}s`;
}

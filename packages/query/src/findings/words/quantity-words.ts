/** Milliseconds as seconds without needless decimals: 8000 as `8`, 8500 as `8.5`. */
export function secondsWords(milliseconds: number): string {
  return String(Number((milliseconds / 1000).toFixed(3)));
}

/** A duration to two digits or so: 3421.8 ms as `3.4s`, 421.8 ms as `422ms`, 0.3 ms as `0.3ms`. */
export function roughDurationWords(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(1)}s`;
  return milliseconds >= 10 ? `${milliseconds.toFixed(0)}ms` : `${Number(milliseconds.toFixed(1))}ms`;
}

/** A percentage with at most two decimals and no needless ones: `25%`, `6.25%`. */
export function percentWords(percent: number): string {
  return `${Number(percent.toFixed(2))}%`;
}

/** A percentage to the whole, below one per cent to one decimal: `17%`, `0.4%`. */
export function roughPercentWords(percent: number): string {
  return `${Math.abs(percent) < 1 ? Number(percent.toFixed(1)) : percent.toFixed(0)}%`;
}

/** A number and its noun: `1 call`, `2 calls`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

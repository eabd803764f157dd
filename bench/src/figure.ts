/** One measured figure, beside what was promised. */
export interface Figure {
  /** What was measured, such as `averages over 1.2 million spans`. */
  name: string;
  value: number;
  /** Such as `ms`, `µs`, `×`, `B/span`. */
  unit: string;
  /** The promise: the value must not be above (`atMost`) or below (`atLeast`) it. Absent on figures told for comparison. */
  atMost?: number;
  atLeast?: number;
  /** What it was compared with, and how it was checked that the work was done. */
  note?: string;
}

/** Measures one topic; throws when the work was not done. */
export type Bench = (report: (figure: Figure) => void) => Promise<void>;

/** Median of `values`. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of durations to which a busy machine only adds; with the median, one that is busy half of the time would decide. */
export function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 2]!;
}

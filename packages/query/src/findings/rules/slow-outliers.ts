import type { Finding } from '../finding.ts';
import type { PercentilesFacts } from '../facts.ts';
import { roughDurationWords } from '../words/quantity-words.ts';

/** With fewer calls the 99th percentile is little more than the slowest one. */
export const CALLS_FOR_OUTLIERS = 40;

/** The slowest hundredth are outliers from this many times the median on. */
export const OUTLIERS_FROM_MEDIANS = 1.5;

/** What the slowest hundredth of the calls takes at least, where that is far from the median. */
export function slowOutliers({ data }: PercentilesFacts): Finding[] {
  const { step, count, percentiles } = data;
  const { p50: p50Ms, p99: p99Ms } = percentiles;
  if (p50Ms === undefined || p99Ms === undefined || count < CALLS_FOR_OUTLIERS) return [];
  if (p99Ms <= 0 || p99Ms < p50Ms * OUTLIERS_FROM_MEDIANS) return [];
  const text = `1% take >${roughDurationWords(p99Ms)} (very slow outliers)`;
  return [{ rule: 'slow-outliers', severity: 'warning', text, evidence: { step, count, p50Ms, p99Ms } }];
}

import type { Finding } from '../finding.ts';
import type { PercentilesFacts } from '../facts.ts';
import { roughDurationWords } from '../words/quantity-words.ts';

/** A tenth of fewer calls is less than one. */
export const CALLS_FOR_TAIL = 10;

/** The slowest tenth is a slow tail from this many times the median on. */
export const TAIL_FROM_MEDIANS = 1.25;

/** What the slowest tenth of the calls takes at least. */
export function slowTail({ data }: PercentilesFacts): Finding[] {
  const { step, count, percentiles } = data;
  const { p50: p50Ms, p90: p90Ms } = percentiles;
  if (p50Ms === undefined || p90Ms === undefined || count < CALLS_FOR_TAIL || p90Ms <= 0) return [];
  const isTail = p90Ms >= p50Ms * TAIL_FROM_MEDIANS;
  return [
    {
      rule: 'slow-tail',
      severity: isTail ? 'warning' : 'info',
      text: `10% take >${roughDurationWords(p90Ms)}${isTail ? ' (slow tail latency)' : ''}`,
      evidence: { step, count, p50Ms, p90Ms },
    },
  ];
}

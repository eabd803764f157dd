import type { Finding } from '../finding.ts';
import type { PercentilesFacts } from '../facts.ts';
import { roughDurationWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Half of fewer calls is not worth a sentence. */
export const CALLS_FOR_MEDIAN = 2;

/** "In less than nothing" is no sentence. */
const SHORTEST_SAID_MS = 0.1;

/** How long half of the calls take at most. */
export function medianCall({ data }: PercentilesFacts): Finding[] {
  const { step, count, percentiles } = data;
  const { p50: p50Ms } = percentiles;
  if (p50Ms === undefined || count < CALLS_FOR_MEDIAN) return [];
  const text = `50% of ${stepDisplayName(step)} calls complete in <${roughDurationWords(Math.max(p50Ms, SHORTEST_SAID_MS))}`;
  return [{ rule: 'median-call', severity: 'info', text, evidence: { step, count, p50Ms } }];
}

import { percentOf } from '../../analytics/percent.ts';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';

/** Time outside any step is worth a word from this share of the wall clock on, in per cent. */
export const UNATTRIBUTED_FROM_PCT = 10;

/** Waiting that no step explains. */
export function unattributedTime({ detail }: SummaryFacts): Finding[] {
  const { unattributedMs, wallMs } = detail;
  const sharePct = percentOf(unattributedMs, wallMs);
  if (detail.steps.length === 0 || sharePct < UNATTRIBUTED_FROM_PCT) return [];
  const text = `${(unattributedMs / 1000).toFixed(2)} seconds (${sharePct.toFixed(0)}% of the wall clock) passed outside any step`;
  return [{ rule: 'unattributed-time', severity: 'warning', text, evidence: { unattributedMs, wallMs, sharePct } }];
}

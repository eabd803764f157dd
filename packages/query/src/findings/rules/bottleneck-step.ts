import { percentOf } from '../../analytics/percent.ts';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';
import { outermostStepsByName } from '../outermost-steps.ts';
import { counted } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** A step is the bottleneck from this share of the total on, in per cent. */
export const BOTTLENECK_FROM_PCT = 40;

/**
 * The step that takes most of the conversation, its attempts together, from 40 % of the total on; then a second one
 * that also takes as much. Silent where the conversation has only one kind of step.
 */
export function bottleneckStep({ detail }: SummaryFacts): Finding[] {
  const calls = outermostStepsByName(detail);
  if (calls.size < 2) return [];
  const shares = [...calls].map(([step, rows]) => {
    const durationMs = rows.reduce((sum, row) => sum + row.durationMs, 0);
    return { step, calls: rows.length, durationMs, sharePct: percentOf(durationMs, detail.totalMs) };
  });
  const bottlenecks = shares
    .filter((share) => share.sharePct >= BOTTLENECK_FROM_PCT)
    .toSorted((a, b) => b.durationMs - a.durationMs);
  return bottlenecks.map((share, place) => {
    const times = share.calls > 1 ? `${counted(share.calls, 'call')}, ` : '';
    const figures = `(${times}${(share.durationMs / 1000).toFixed(2)}s = ${share.sharePct.toFixed(0)}% of total)`;
    const claim = place === 0 ? 'is the bottleneck' : 'takes most of the rest';
    return {
      rule: 'bottleneck-step',
      severity: 'warning',
      text: `${stepDisplayName(share.step, 'opening')} step ${claim} ${figures}`,
      evidence: share,
    };
  });
}

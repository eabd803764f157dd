import type { Verdict } from '../../answers/data.ts';
import { comparedRows } from '../compared-rows.ts';
import type { Finding } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';

/** The average total of a conversation before and after, and where that is no clear difference, that it is none. */
export function totalChange(facts: ComparisonFacts): Finding[] {
  const { conversation } = comparedRows(facts);
  if (conversation === undefined) return [];
  const { before, after, verdict } = conversation;
  if (before.averageMs === undefined || after.averageMs === undefined) return [];
  const change = `${before.averageMs.toFixed(0)}ms → ${after.averageMs.toFixed(0)}ms`;
  return [
    {
      rule: 'total-change',
      severity: 'info',
      text: `Total conversation time: ${change}${caveatOf(verdict)}`,
      evidence: { beforeMs: before.averageMs, afterMs: after.averageMs, verdict },
    },
  ];
}

function caveatOf(verdict: Verdict): string {
  switch (verdict) {
    case 'faster':
    case 'slower':
      return '';
    case 'no clear change':
      return ' (no clear change)';
    case 'too few':
      return ' (too few to tell)';
  }
}

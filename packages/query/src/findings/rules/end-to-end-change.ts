import { comparedRows, isClear } from '../compared-rows.ts';
import type { Finding } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';

/** By how much conversations as a whole changed, where that is clear. */
export function endToEndChange(facts: ComparisonFacts): Finding[] {
  const { conversation } = comparedRows(facts);
  if (conversation?.deltaPct === undefined || !isClear(conversation)) return [];
  const { deltaPct, verdict } = conversation;
  const isFaster = verdict === 'faster';
  const text = `End-to-end ${isFaster ? 'improvement' : 'slowdown'}: ${Math.abs(deltaPct).toFixed(1)}%`;
  return [
    { rule: 'end-to-end-change', severity: isFaster ? 'good' : 'problem', text, evidence: { deltaPct, verdict } },
  ];
}

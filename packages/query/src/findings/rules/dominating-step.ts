import type { Finding } from '../finding.ts';
import type { SlowFacts } from '../facts.ts';
import { DOMINATES_FROM_PCT, findSlowestStep } from '../slowest-step.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Which step to look at first in slow conversations; that there is none is worth saying too. */
export function dominatingStep(facts: SlowFacts): Finding[] {
  if (facts.rows.length === 0) return [];
  const slowest = findSlowestStep(facts);
  if (slowest === undefined) {
    const text = `No single step takes ${DOMINATES_FROM_PCT}% of the time: check where each conversation waits`;
    return [{ rule: 'dominating-step', severity: 'info', text, evidence: { ...facts.completedMsByStep } }];
  }
  const text = `Check ${stepDisplayName(slowest.step)} step duration for ${facts.rows.length === 1 ? 'this conversation' : 'these conversations'}`;
  return [{ rule: 'dominating-step', severity: 'warning', text, evidence: { ...slowest } }];
}

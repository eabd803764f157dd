import type { Finding } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';
import { risenErrorRates } from '../risen-error-rates.ts';
import { percentWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Each step, and conversations as a whole, that fails clearly more often than before. */
export function moreErrors(facts: ComparisonFacts): Finding[] {
  return risenErrorRates(facts).map(({ step, before, after }) => {
    const { errorRatePct: beforePct = 0 } = before;
    const { errorRatePct: afterPct = 0 } = after;
    return {
      rule: 'more-errors',
      severity: 'problem',
      text: `${stepDisplayName(step, 'opening')} error rate rose from ${percentWords(beforePct)} to ${percentWords(afterPct)}`,
      evidence: { step, beforePct, afterPct },
    };
  });
}

import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { PROBLEM_FROM_PCT } from '../failing-steps.ts';
import { percentWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** From this failure rate on a step is unacceptable: the bound above which `watch` raises its alert, in per cent. */
export const UNACCEPTABLE_FROM_PCT = 10;

/** Each step that fails in 5 % of its calls or more. */
export function highErrorRate({ rows }: ErrorsFacts): Finding[] {
  return rows
    .filter((row) => row.errorRatePct >= PROBLEM_FROM_PCT)
    .map(({ step, total, failures, errorRatePct }) => {
      const judgement = errorRatePct >= UNACCEPTABLE_FROM_PCT ? ' - unacceptably high!' : '';
      return {
        rule: 'high-error-rate',
        severity: 'problem',
        text: `${stepDisplayName(step, 'opening')} has ${percentWords(errorRatePct)} error rate${judgement}`,
        evidence: { step, total, failures, errorRatePct },
      };
    });
}

import { STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { findFailingSteps } from '../failing-steps.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** What the user should get while a step fails, by the kind of the step. */
export function fallBack(facts: ErrorsFacts): Finding[] {
  return findFailingSteps(facts).map(({ row: { step, errorRatePct } }) => {
    const fallback = STEP_PHRASES[stepKindOf(step)].fallback ?? 'Add a fallback for';
    const text = `${fallback} when ${stepDisplayName(step)} fails`;
    return { rule: 'fall-back', severity: 'advice', text, evidence: { step, errorRatePct } };
  });
}

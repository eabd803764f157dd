import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { findFailingSteps } from '../failing-steps.ts';

/** What to do about the cause of the failures, each remedy once. */
export function remedyCause(facts: ErrorsFacts): Finding[] {
  const causes = new Set(findFailingSteps(facts).flatMap(({ cause }) => cause ?? []));
  return [...causes].map(({ remedy, phrase }) => ({
    rule: 'remedy-cause',
    severity: 'advice',
    text: remedy,
    evidence: { cause: phrase },
  }));
}

import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { findFailingSteps } from '../failing-steps.ts';

/** What to keep an eye on, so that the cause is seen before users see it; each once. */
export function monitorCause(facts: ErrorsFacts): Finding[] {
  const causes = findFailingSteps(facts).flatMap(({ cause }) => cause ?? []);
  return [...new Set(causes.map((cause) => cause.monitoring))].map((text) => ({
    rule: 'monitor-cause',
    severity: 'advice',
    text,
    evidence: { causes: causes.filter((cause) => cause.monitoring === text).map((cause) => cause.phrase) },
  }));
}

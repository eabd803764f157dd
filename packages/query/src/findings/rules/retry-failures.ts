import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { findFailingSteps } from '../failing-steps.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/**
 * Retry where the same call may succeed a moment later; where the cause is unknown, look at it first; where a retry
 * cannot help, say nothing.
 */
export function retryFailures(facts: ErrorsFacts): Finding[] {
  return findFailingSteps(facts).flatMap(({ row, cause }): Finding[] => {
    if (cause !== undefined && !cause.isRetryable) return [];
    const name = stepDisplayName(row.step);
    const text =
      cause === undefined
        ? `Find out why ${name} fails (its messages are under common-errors)`
        : `Add retry logic for ${name} failures`;
    const evidence = { step: row.step, failures: row.failures, cause: cause?.phrase ?? 'unknown' };
    return [{ rule: 'retry-failures', severity: 'advice', text, evidence }];
  });
}

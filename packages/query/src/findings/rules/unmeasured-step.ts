import type { Finding } from '../finding.ts';
import type { AveragesFacts } from '../facts.ts';
import { counted } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Steps of which not a single call counts towards an average. */
export function unmeasuredStep({ rows }: AveragesFacts): Finding[] {
  return rows
    .filter((row) => row.count === 0)
    .map(({ step, leftOut }) => ({
      rule: 'unmeasured-step',
      severity: 'warning',
      text: `${stepDisplayName(step, 'label')}: Nothing to average (${counted(leftOut.notCompleted + leftOut.tooLong, 'call')} left out)`,
      evidence: { step, ...leftOut },
    }));
}

import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** The step right before the first one that fails, without a failure of its own: what leads there can be relied on. */
export function reliableStep({ rows }: ErrorsFacts): Finding[] {
  const firstFailing = rows.findIndex((row) => row.failures > 0);
  const before = firstFailing > 0 ? rows[firstFailing - 1] : undefined;
  if (before === undefined) return [];
  const text = `${stepDisplayName(before.step, 'opening')} is 100% reliable`;
  return [{ rule: 'reliable-step', severity: 'good', text, evidence: { step: before.step, total: before.total } }];
}

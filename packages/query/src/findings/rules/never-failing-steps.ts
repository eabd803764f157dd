import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** The steps after the first one that fails which have no failure themselves. */
export function neverFailingSteps({ rows }: ErrorsFacts): Finding[] {
  const firstFailing = rows.findIndex((row) => row.failures > 0);
  if (firstFailing === -1) return [];
  const steps = rows
    .slice(firstFailing + 1)
    .filter((row) => row.failures === 0)
    .map((row) => row.step);
  if (steps.length === 0) return [];
  const names = steps.map((step) => stepDisplayName(step, 'opening')).join('/');
  const text = `${names} never ${steps.length === 1 ? 'fails' : 'fail'}`;
  return [{ rule: 'never-failing-steps', severity: 'good', text, evidence: { steps } }];
}

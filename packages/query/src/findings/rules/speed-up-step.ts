import { STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { SlowFacts } from '../facts.ts';
import { findSlowestStep } from '../slowest-step.ts';

/** How steps of its kind are sped up, when one dominates slow conversations. */
export function speedUpStep(facts: SlowFacts): Finding[] {
  const slowest = facts.rows.length === 0 ? undefined : findSlowestStep(facts);
  const { speedUp } = STEP_PHRASES[slowest === undefined ? 'other' : stepKindOf(slowest.step)];
  if (slowest === undefined || speedUp === undefined) return [];
  return [{ rule: 'speed-up-step', severity: 'advice', text: `May need to ${speedUp}`, evidence: { ...slowest } }];
}

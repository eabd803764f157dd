import { isFailure, STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { TraceFacts } from '../facts.ts';

/** What the user noticed of the steps that a failed conversation never got to. */
export function unansweredUser({ detail, missingSteps }: TraceFacts): Finding[] {
  if (detail.outcome === 'open' || !isFailure(detail.outcome)) return [];
  const phrases = missingSteps.flatMap((step) => STEP_PHRASES[stepKindOf(step)].whenMissing ?? []);
  return [...new Set(phrases)].map((text) => ({
    rule: 'unanswered-user',
    severity: 'problem',
    text,
    evidence: { missingSteps },
  }));
}

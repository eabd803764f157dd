import { isFailure } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import type { StepRow } from '../../answers/data.ts';
import { findErrorCause } from '../error-causes.ts';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';
import { lastAttempts, outermostStepsByName } from '../outermost-steps.ts';
import { quotedMessage } from '../words/quoted-message.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

const ENDINGS: Readonly<Record<Exclude<Outcome, 'completed'>, string>> = {
  failed: 'failed',
  timed_out: 'timed out',
  abandoned: 'was abandoned',
  interrupted: 'was interrupted',
};

/**
 * Each outermost step whose last attempt did not complete, with the cause; and each that completed only after failed
 * attempts.
 */
export function unsuccessfulStep({ detail }: SummaryFacts): Finding[] {
  const attempts = outermostStepsByName(detail);
  return lastAttempts(detail).flatMap((step): Finding[] => {
    const failures = (attempts.get(step.step) ?? []).filter((attempt) => isFailure(attempt.outcome)).length;
    const evidence = { step: step.step, outcome: step.outcome, failures, ...errorEvidence(step) };
    const name = `${stepDisplayName(step.step, 'opening')} step`;
    if (step.outcome === 'completed') {
      if (step.attempt === undefined) return [];
      const text = `${name} completed on attempt ${step.attempt}`;
      return [{ rule: 'unsuccessful-step', severity: 'info', text, evidence }];
    }
    const wentOn = detail.outcome === 'completed' ? ' (the conversation went on)' : '';
    const text = `${name} ${ENDINGS[step.outcome]}${causeWords(step)}${wentOn}`;
    const severity = isFailure(step.outcome) ? 'problem' : 'info';
    return [{ rule: 'unsuccessful-step', severity, text, evidence }];
  });
}

function causeWords({ outcome, errorType, errorMessage: message }: StepRow): string {
  // These two outcomes say themselves what happened.
  if (outcome === 'abandoned') return ' (the program went away)';
  if (outcome === 'interrupted') return '';
  const cause = findErrorCause({ errorType, message });
  if (cause !== undefined && !(outcome === 'timed_out' && cause.area === 'timeouts')) return ` due to ${cause.phrase}`;
  if (outcome === 'timed_out') return '';
  const words = message === undefined || message === '' ? errorType : quotedMessage(message);
  return words === undefined ? '' : `: ${words}`;
}

function errorEvidence({ errorType, errorMessage }: StepRow): Record<string, string> {
  return { ...(errorType === undefined ? {} : { errorType }), ...(errorMessage === undefined ? {} : { errorMessage }) };
}

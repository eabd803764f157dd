import { findErrorCause } from '../findings/error-causes.ts';
import type { ErrorCause } from '../findings/error-causes.ts';
import { findingRule } from '../findings/finding.ts';
import { phrasesOf } from '../findings/step-phrases.ts';
import { stepDisplayName } from '../findings/words.ts';

/** A step is a problem from this failure rate on, in per cent. */
export const PROBLEM_FROM_PCT = 5;

/** Advice is given for at most this many steps, those with the most failures. */
export const ADVISED_STEPS = 2;

/** What advice about errors rests on: the part of the facts of `errors` that it reads. */
export interface AdviceFacts {
  rows: readonly { step: string; failures: number; errorRatePct: number }[];
  /** The most frequent first. */
  commonErrors: readonly { step: string; errorType?: string; message?: string }[];
}

/**
 * Retry where the same call may succeed a moment later; where the cause is unknown, look at it first; where a retry
 * cannot help, say nothing.
 */
export const retryFailures = findingRule('retry-failures', (facts: AdviceFacts) =>
  findFailingSteps(facts).flatMap(({ step, failures, cause }) => {
    if (cause !== undefined && !cause.isRetryable) return [];
    const name = stepDisplayName(step);
    const text =
      cause === undefined
        ? `Find out why ${name} fails (its messages are under common-errors)`
        : `Add retry logic for ${name} failures`;
    return { severity: 'advice' as const, text, evidence: { step, failures, cause: cause?.phrase ?? 'unknown' } };
  }),
);

/** What to do about the cause of the failures, each remedy once. */
export const remedyCause = findingRule('remedy-cause', (facts: AdviceFacts) => {
  const causes = new Set(findFailingSteps(facts).flatMap(({ cause }) => cause ?? []));
  return [...causes].map(({ remedy, phrase }) => ({ severity: 'advice', text: remedy, evidence: { cause: phrase } }));
});

/** What the user should get while a step fails, by the kind of the step. */
export const fallBack = findingRule('fall-back', (facts: AdviceFacts) =>
  findFailingSteps(facts).map(({ step, errorRatePct }) => {
    const text = `${phrasesOf(step).fallback ?? 'Add a fallback for'} when ${stepDisplayName(step)} fails`;
    return { severity: 'advice', text, evidence: { step, errorRatePct } };
  }),
);

/** What to keep an eye on, so that the cause is noticed before users notice it; each once. */
export const monitorCause = findingRule('monitor-cause', (facts: AdviceFacts) => {
  const causes = findFailingSteps(facts).flatMap(({ cause }) => cause ?? []);
  return [...new Set(causes.map((cause) => cause.monitoring))].map((text) => ({
    severity: 'advice',
    text,
    evidence: { causes: causes.filter((cause) => cause.monitoring === text).map((cause) => cause.phrase) },
  }));
});

/** A step that fails often, and why, as far as its most frequent error tells. */
interface FailingStep {
  step: string;
  failures: number;
  errorRatePct: number;
  cause?: ErrorCause | undefined;
}

/** The steps that advice is about: those that are a problem, the most failures first, two at most. */
function findFailingSteps({ rows, commonErrors }: AdviceFacts): FailingStep[] {
  return rows
    .filter((row) => row.errorRatePct >= PROBLEM_FROM_PCT)
    .toSorted((a, b) => b.failures - a.failures)
    .slice(0, ADVISED_STEPS)
    .map(({ step, failures, errorRatePct }) => {
      const commonError = commonErrors.find((error) => error.step === step);
      return { step, failures, errorRatePct, cause: commonError && findErrorCause(commonError) };
    });
}

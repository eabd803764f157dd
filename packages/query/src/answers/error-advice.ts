import { findErrorCause } from '../findings/error-causes.ts';
import type { ErrorCause } from '../findings/error-causes.ts';
import { findingRule } from '../findings/finding.ts';
import { phrasesOf, stepDisplayName } from '../findings/words.ts';

/** A step is a problem from this failure rate on, in per cent. */
export const PROBLEM_FROM_PCT = 5;

/** Advice is given for at most this many steps, those with the most failures. */
export const ADVISED_STEPS = 2;

/** Whether a step is one: by what its retries left of its failures. */
export function isProblem({ finalErrorRatePct = 0 }: { finalErrorRatePct?: number }): boolean {
  return finalErrorRatePct >= PROBLEM_FROM_PCT;
}

/** What advice about errors rests on: the part of the facts of `errors` that it reads. */
export interface AdviceFacts {
  rows: readonly { step: string; retried: number; finalFailures: number; finalErrorRatePct?: number }[];
  /** The most frequent first. */
  commonErrors: readonly { step: string; errorType?: string; message?: string }[];
}

/**
 * Retry where the same call may succeed a moment later; where the cause is unknown, look at it first; where a retry
 * cannot help, or the step is retried already, say nothing.
 */
export const retryFailures = findingRule('retry-failures', (facts: AdviceFacts) =>
  findFailingSteps(facts).flatMap(({ step, finalFailures, isRetried, cause }) => {
    if (cause !== undefined && (isRetried || !cause.isRetryable)) return [];
    const name = stepDisplayName(step);
    const text =
      cause === undefined
        ? `Find out why ${name} fails (its messages are under common-errors)`
        : `Add retry logic for ${name} failures`;
    return { severity: 'advice' as const, text, evidence: { step, finalFailures, cause: cause?.phrase ?? 'unknown' } };
  }),
);

/** What to do about the cause of the failures, each remedy once. */
export const remedyCause = findingRule('remedy-cause', (facts: AdviceFacts) => {
  const causes = new Set(findFailingSteps(facts).flatMap(({ cause }) => cause ?? []));
  return [...causes].map(({ remedy, phrase }) => ({ severity: 'advice', text: remedy, evidence: { cause: phrase } }));
});

/** What the user should get while a step fails, by the kind of the step. */
export const fallBack = findingRule('fall-back', (facts: AdviceFacts) =>
  findFailingSteps(facts).map(({ step, finalErrorRatePct }) => {
    const text = `${phrasesOf(step).fallback ?? 'Add a fallback for'} when ${stepDisplayName(step)} fails`;
    return { severity: 'advice', text, evidence: { step, finalErrorRatePct } };
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
  finalFailures: number;
  finalErrorRatePct: number;
  isRetried: boolean;
  cause?: ErrorCause | undefined;
}

/** The steps that advice is about: those that are a problem, the most failures first, two at most. */
function findFailingSteps({ rows, commonErrors }: AdviceFacts): FailingStep[] {
  return rows
    .filter(isProblem)
    .toSorted((a, b) => b.finalFailures - a.finalFailures)
    .slice(0, ADVISED_STEPS)
    .map(({ step, finalFailures, finalErrorRatePct = 0, retried }) => {
      const commonError = commonErrors.find((error) => error.step === step);
      return {
        step,
        finalFailures,
        finalErrorRatePct,
        isRetried: retried > 0,
        cause: commonError && findErrorCause(commonError),
      };
    });
}

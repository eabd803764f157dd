import type { CommonErrorRow, StepErrorRow } from '../answers/data.ts';
import { findErrorCause } from './error-causes.ts';
import type { ErrorCause } from './error-causes.ts';
import type { ErrorsFacts } from './facts.ts';

/** A step is a problem from this failure rate on, in per cent. */
export const PROBLEM_FROM_PCT = 5;

/** Advice is given for as many steps, those with the most failures. */
export const ADVISED_STEPS = 2;

/** A step that fails often, and why, as far as its most frequent error tells. */
export interface FailingStep {
  row: StepErrorRow;
  commonError?: CommonErrorRow | undefined;
  cause?: ErrorCause | undefined;
}

/** The steps that advice is about: those that are a problem, the most failures first, two at most. */
export function findFailingSteps({ rows, commonErrors }: ErrorsFacts): FailingStep[] {
  return rows
    .filter((row) => row.errorRatePct >= PROBLEM_FROM_PCT)
    .toSorted((a, b) => b.failures - a.failures)
    .slice(0, ADVISED_STEPS)
    .map((row) => {
      const commonError = commonErrors.find((error) => error.step === row.step);
      return { row, commonError, cause: commonError && findErrorCause(commonError) };
    });
}

import type { ComparisonRow } from '../answers/data.ts';
import type { ComparisonFacts } from './facts.ts';

/** A failure rate has risen from this many percentage points on. */
export const RISEN_FROM_POINTS = 5;

/** The rows whose failure rate rose by five points or more, that of whole conversations among them. */
export function risenErrorRates({ rows }: ComparisonFacts): ComparisonRow[] {
  return rows.filter(({ before, after }) => {
    if (before.errorRatePct === undefined || after.errorRatePct === undefined) return false;
    return after.errorRatePct - before.errorRatePct >= RISEN_FROM_POINTS;
  });
}

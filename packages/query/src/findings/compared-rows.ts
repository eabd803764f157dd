import type { ComparisonRow } from '../answers/data.ts';
import type { ComparisonFacts } from './facts.ts';

/** The rows of a comparison by what they are about. */
export interface ComparedRows {
  steps: ComparisonRow[];
  /** Totals of whole conversations; absent where the comparison is empty. */
  conversation?: ComparisonRow | undefined;
}

/** Parts the steps from the last row, which is about conversations. */
export function comparedRows({ rows }: ComparisonFacts): ComparedRows {
  return { steps: rows.slice(0, -1), conversation: rows.at(-1) };
}

/** Whether the data shows a difference. */
export function isClear({ verdict }: ComparisonRow): boolean {
  return verdict === 'faster' || verdict === 'slower';
}

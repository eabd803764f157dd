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

/** A clear change of a step is worth a sentence from this share of its own average on, in per cent. */
export const WORTH_SAYING_FROM_PCT = 1;

/** The steps whose change is clear and worth a sentence, the largest first. */
export function clearChanges(facts: ComparisonFacts): ComparisonRow[] {
  return comparedRows(facts)
    .steps.filter((row) => isClear(row) && Math.abs(row.deltaPct ?? Infinity) >= WORTH_SAYING_FROM_PCT)
    .toSorted((a, b) => Math.abs(b.deltaMs ?? 0) - Math.abs(a.deltaMs ?? 0));
}

/** Whether the data shows a difference. */
export function isClear({ verdict }: ComparisonRow): boolean {
  return verdict === 'faster' || verdict === 'slower';
}

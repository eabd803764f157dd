import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';

/** A conversation to compare later ones with: it and all of its steps completed, and its total is under the target. */
export function goodBaseline({ detail, targetMs }: SummaryFacts): Finding[] {
  const { steps, outcome, totalMs } = detail;
  const isComplete = outcome === 'completed' && steps.length > 0 && steps.every((step) => step.outcome === 'completed');
  if (!isComplete || totalMs >= targetMs) return [];
  const evidence = { totalMs, targetMs };
  return [{ rule: 'good-baseline', severity: 'good', text: 'Good baseline for optimization', evidence }];
}

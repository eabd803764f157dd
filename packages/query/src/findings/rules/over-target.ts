import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';
import { secondsWords } from '../words/quantity-words.ts';

/** The total is not under the target. */
export function overTarget({ detail, targetMs }: SummaryFacts): Finding[] {
  const { totalMs } = detail;
  if (totalMs < targetMs) return [];
  const overMs = totalMs - targetMs;
  const text = `Total is ${(overMs / 1000).toFixed(2)} seconds over the target of ${secondsWords(targetMs)} seconds`;
  return [{ rule: 'over-target', severity: 'warning', text, evidence: { totalMs, targetMs, overMs } }];
}

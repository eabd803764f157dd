import type { Finding } from '../finding.ts';
import type { SlowFacts } from '../facts.ts';

/** A timeout is worth a thought when the slowest conversation takes this many times the target. */
export const TIMEOUT_FROM_TARGETS = 1.5;

/** The slowest conversation is so far beyond the target that giving up earlier would serve its user better. */
export function considerTimeout({ rows, targetMs }: SlowFacts): Finding[] {
  const slowestMs = rows.reduce((slowest, row) => Math.max(slowest, row.completedMs), 0);
  if (slowestMs < targetMs * TIMEOUT_FROM_TARGETS) return [];
  const evidence = { slowestMs, targetMs };
  return [{ rule: 'consider-timeout', severity: 'advice', text: 'Consider adding timeout limits', evidence }];
}

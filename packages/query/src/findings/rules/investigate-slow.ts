import type { Finding } from '../finding.ts';
import type { SlowFacts } from '../facts.ts';
import { secondsWords } from '../words/quantity-words.ts';

/** There are conversations above the threshold; how that compares with the target. */
export function investigateSlow({ rows, thresholdMs, targetMs }: SlowFacts): Finding[] {
  if (rows.length === 0) return [];
  const overTarget = rows.filter((row) => row.completedMs >= targetMs).length;
  const target = secondsWords(targetMs);
  const which =
    overTarget === rows.length
      ? `target is <${target}s`
      : overTarget === 0
        ? `though under the target of ${target}s`
        : `${overTarget} of ${rows.length} missed the target of <${target}s`;
  const these = rows.length === 1 ? 'this one' : 'these';
  return [
    {
      rule: 'investigate-slow',
      severity: overTarget === 0 ? 'info' : 'warning',
      text: `Investigate why ${these} took >${secondsWords(thresholdMs)} seconds (${which})`,
      evidence: { conversations: rows.length, overTarget, thresholdMs, targetMs },
    },
  ];
}

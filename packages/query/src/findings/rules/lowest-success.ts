import type { Finding } from '../finding.ts';
import type { SuccessFacts } from '../facts.ts';
import { counted, percentWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** The step that completes least often; that all complete, where they do. */
export function lowestSuccess({ rows }: SuccessFacts): Finding[] {
  const [lowest, next] = rows.toSorted((a, b) => a.completed / a.total - b.completed / b.total);
  if (lowest === undefined) return [];
  const { step, total, completed, successRatePct } = lowest;
  const calls = rows.reduce((sum, row) => sum + row.total, 0);
  if (completed === total) {
    const text = `All ${counted(calls, 'step call')} completed`;
    return [{ rule: 'lowest-success', severity: 'good', text, evidence: { calls } }];
  }
  // Several steps that complete equally seldom are not one that stands out.
  if (next !== undefined && next.completed / next.total === completed / total) return [];
  const rate = `${percentWords(successRatePct)} (${completed} of ${total})`;
  const text = `${stepDisplayName(step, 'opening')} completes ${next === undefined ? '' : 'least often: '}${rate}`;
  return [{ rule: 'lowest-success', severity: 'warning', text, evidence: { step, total, completed, successRatePct } }];
}

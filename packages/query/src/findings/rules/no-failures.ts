import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { counted } from '../words/quantity-words.ts';

/** Not a single call of any step failed. */
export function noFailures({ rows }: ErrorsFacts): Finding[] {
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  if (total === 0 || rows.some((row) => row.failures > 0)) return [];
  const text = `No failure in ${counted(total, 'step call')}`;
  return [{ rule: 'no-failures', severity: 'good', text, evidence: { total } }];
}

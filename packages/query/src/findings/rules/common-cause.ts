import { percentOf } from '../../analytics/percent.ts';
import { findErrorCause } from '../error-causes.ts';
import type { ErrorCause } from '../error-causes.ts';
import type { Finding } from '../finding.ts';
import type { CommonErrorsFacts } from '../facts.ts';

/** One cause is worth naming from this share of the errors listed on, in per cent. */
export const COMMON_CAUSE_FROM_PCT = 50;

/** The cause behind most of the errors listed, and what to do about it. */
export function commonCause({ rows }: CommonErrorsFacts): Finding[] {
  const errors = rows.reduce((sum, row) => sum + row.count, 0);
  const countByCause = new Map<ErrorCause, number>();
  for (const row of rows) {
    const cause = findErrorCause(row);
    if (cause !== undefined) countByCause.set(cause, (countByCause.get(cause) ?? 0) + row.count);
  }
  return [...countByCause].flatMap(([cause, count]): Finding[] => {
    const sharePct = percentOf(count, errors);
    if (sharePct <= COMMON_CAUSE_FROM_PCT) return [];
    const which = errors === 1 ? 'The error listed is' : `${count} of ${errors} errors listed are`;
    const text = `${which} due to ${cause.phrase}`;
    const evidence = { cause: cause.phrase, count, errors, sharePct };
    return [
      { rule: 'common-cause', severity: 'warning', text, evidence },
      { rule: 'common-cause', severity: 'advice', text: cause.remedy, evidence },
    ];
  });
}

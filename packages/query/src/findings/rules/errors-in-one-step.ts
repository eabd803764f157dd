import { percentOf } from '../../analytics/percent.ts';
import { findErrorCause } from '../error-causes.ts';
import type { Finding } from '../finding.ts';
import type { ErrorsFacts } from '../facts.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Most errors are in one step from this share on, in per cent. */
export const MOST_FROM_PCT = 50;

/** Where the errors are: all in one step, or more than half of them. Silent where there is only one step. */
export function errorsInOneStep({ rows, commonErrors }: ErrorsFacts): Finding[] {
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  const worst = rows.toSorted((a, b) => b.failures - a.failures)[0];
  if (worst === undefined || failures === 0 || rows.length < 2) return [];
  const sharePct = percentOf(worst.failures, failures);
  if (sharePct <= MOST_FROM_PCT) return [];
  const areas = new Set(
    commonErrors.filter((error) => error.step === worst.step).map((error) => findErrorCause(error)?.area),
  );
  const [area] = areas;
  // Several kinds of trouble, or one that we cannot name, are no single reason.
  const reason = areas.size === 1 && area !== undefined ? ` (${area})` : '';
  const where = `in ${stepDisplayName(worst.step)} step`;
  return [
    {
      rule: 'errors-in-one-step',
      severity: 'info',
      text:
        worst.failures === failures
          ? `All errors are ${where}${reason}`
          : `Most errors are ${where} (${worst.failures} of ${failures})`,
      evidence: { step: worst.step, failures: worst.failures, allFailures: failures },
    },
  ];
}

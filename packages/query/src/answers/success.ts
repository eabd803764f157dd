import { counted, findingRule, percentWords, stepDisplayName } from '../findings/finding.ts';
import type { ConversationSource } from '../questions.ts';
import { percentOf, wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import { buildReport, byGroup, checkWindowed, findGroups, findInGroup, withWarnings } from './report.ts';
import type { GroupedOptions, Report } from './report.ts';

/** A row of `success`. */
export interface StepSuccessRow {
  /** With `by`. */
  group?: string;
  step: string;
  total: number;
  completed: number;
  successRatePct: number;
  /** 95 % interval of `successRatePct`. */
  interval?: PercentInterval;
  /** Number of spans that were retried, whether or not the retry succeeded. */
  retried: number;
  /** Success rate without the spans that were retried; absent if all were. */
  finalSuccessRatePct?: number;
}

/**
 * Success rate of each step: the percentage of its spans in the window that completed. Interrupted spans count only in
 * the total, so error rate and success rate may add up to less than 100 %. In step order; with `by` per group, largest
 * first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function success(
  source: ConversationSource,
  options: GroupedOptions,
): Promise<Report<'success', StepSuccessRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by } = options;

  const groups = await findGroups(source, { by, windows: [window], filters });
  const asked = { window, filters, timings: false, groupBy: groups?.groupBy };
  const { data: statistics, coverage: read } = await source.ask({ name: 'step-statistics', ...asked });
  const data = statistics.map(({ group, step, total, completed, retried }) => ({
    ...(group !== undefined && { group }),
    step,
    total,
    completed,
    successRatePct: percentOf(completed, total),
    interval: wilsonInterval(completed, total)!,
    retried,
    ...(total > retried && { finalSuccessRatePct: percentOf(completed, total - retried) }),
  }));
  const findings = [...byGroup(data)].flatMap(([group, rows]) => findInGroup(group, successRules, { rows }));
  const coverage = withWarnings(read, groups?.warnings);
  return buildReport({ command: 'success', by, source, window, timeZone, coverage, data, findings });
}

/** Input of the finding rules of `success`. */
export interface SuccessFacts {
  rows: StepSuccessRow[];
}

/** The step with the lowest success rate, considering retries; or that every step always completes. */
export const lowestSuccess = findingRule('lowest-success', ({ rows }: SuccessFacts) => {
  const judged = rows.filter(({ total, retried }) => total > retried);
  const rateOf = ({ completed, total, retried }: StepSuccessRow): number => completed / (total - retried);
  const [lowest, next] = judged.toSorted((a, b) => rateOf(a) - rateOf(b));
  if (lowest === undefined) return [];
  const { step, completed, retried } = lowest;
  const total = lowest.total - retried;
  const finalSuccessRatePct = percentOf(completed, total);
  const calls = judged.reduce((sum, row) => sum + row.total - row.retried, 0);
  if (completed === total) {
    const afterRetries = judged.some((row) => row.retried > 0) ? ' after retries' : '';
    return [
      { severity: 'good', text: `All ${counted(calls, 'step call')} completed${afterRetries}`, evidence: { calls } },
    ];
  }
  // None stands out if several steps have the same rate.
  if (next !== undefined && rateOf(next) === rateOf(lowest)) return [];
  const rate = `${percentWords(finalSuccessRatePct)} (${completed} of ${total}${retried > 0 ? ', after retries' : ''})`;
  const text = `${stepDisplayName(step, 'opening')} completes ${next === undefined ? '' : 'least often: '}${rate}`;
  return [{ severity: 'warning', text, evidence: { step, total, completed, retried, finalSuccessRatePct } }];
});

/** The findings of `success`, in the order in which they are printed. */
export const successRules = [lowestSuccess];

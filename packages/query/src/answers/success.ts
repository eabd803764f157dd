import { findAll, findingRule } from '../findings/finding.ts';
import { counted, percentWords, stepDisplayName } from '../findings/words.ts';
import { wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import { percentOf } from './numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { checkWindowed } from './options.ts';
import type { WindowedOptions } from './options.ts';
import { buildReport } from './report.ts';
import type { Report } from './report.ts';

/** A row of `success`. */
export interface StepSuccessRow {
  step: string;
  total: number;
  completed: number;
  successRatePct: number;
  /** 95 % interval of `successRatePct`. */
  interval?: PercentInterval;
  /** Spans that were retried, whatever became of the retry. */
  retried: number;
  /** `completed` of the spans that were not retried; absent where all of them were. */
  finalSuccessRatePct?: number;
}

/**
 * Success rate of each step: completed ones of all its spans in the window. Interrupted ones are in the total only,
 * so error rate and success rate may add up to less than 100 %. In step order.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function success(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'success', StepSuccessRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data, coverage } = await source.ask({ name: 'step-statistics', window, filters, timings: false });
  const rows = data.map(({ step, total, completed, retried }) => ({
    step,
    total,
    completed,
    successRatePct: percentOf(completed, total),
    interval: wilsonInterval(completed, total)!,
    retried,
    ...(total > retried && { finalSuccessRatePct: percentOf(completed, total - retried) }),
  }));
  const findings = findAll(successRules, { rows });
  return buildReport({ command: 'success', source, window, timeZone, coverage, data: rows, findings });
}

/** What the rules of `success` look at. */
export interface SuccessFacts {
  rows: StepSuccessRow[];
}

/** The step that completes least often, retries taken into account; or that all of them always complete. */
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
  // Where several steps complete equally seldom, none stands out.
  if (next !== undefined && rateOf(next) === rateOf(lowest)) return [];
  const rate = `${percentWords(finalSuccessRatePct)} (${completed} of ${total}${retried > 0 ? ', after retries' : ''})`;
  const text = `${stepDisplayName(step, 'opening')} completes ${next === undefined ? '' : 'least often: '}${rate}`;
  return [{ severity: 'warning', text, evidence: { step, total, completed, retried, finalSuccessRatePct } }];
});

/** The findings of `success`, in the order in which they are printed. */
export const successRules = [lowestSuccess];

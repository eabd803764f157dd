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
  const rows = data.map(({ step, total, completed }) => ({
    step,
    total,
    completed,
    successRatePct: percentOf(completed, total),
    interval: wilsonInterval(completed, total)!,
  }));
  const findings = findAll(successRules, { rows });
  return buildReport({ command: 'success', source, window, timeZone, coverage, data: rows, findings });
}

/** What the rules of `success` look at. */
export interface SuccessFacts {
  rows: StepSuccessRow[];
}

/** The step that completes least often; or that all of them always complete. */
export const lowestSuccess = findingRule('lowest-success', ({ rows }: SuccessFacts) => {
  const [lowest, next] = rows.toSorted((a, b) => a.completed / a.total - b.completed / b.total);
  if (lowest === undefined) return [];
  const { step, total, completed, successRatePct } = lowest;
  const calls = rows.reduce((sum, row) => sum + row.total, 0);
  if (completed === total) {
    return [{ severity: 'good', text: `All ${counted(calls, 'step call')} completed`, evidence: { calls } }];
  }
  // Where several steps complete equally seldom, none stands out.
  if (next !== undefined && next.completed / next.total === completed / total) return [];
  const rate = `${percentWords(successRatePct)} (${completed} of ${total})`;
  const text = `${stepDisplayName(step, 'opening')} completes ${next === undefined ? '' : 'least often: '}${rate}`;
  return [{ severity: 'warning', text, evidence: { step, total, completed, successRatePct } }];
});

/** The findings of `success`, in the order in which they are printed. */
export const successRules = [lowestSuccess];

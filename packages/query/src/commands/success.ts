import { stepSuccessRow } from '../analytics/step-rows.ts';
import type { StepSuccessRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

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
  const rows = data.map(stepSuccessRow);
  const findings = findAll(RULES_BY_COMMAND.success, { rows });
  return buildReport({ command: 'success', source, window, timeZone, coverage, data: rows, findings });
}

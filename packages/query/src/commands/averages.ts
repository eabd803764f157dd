import { meanTotalMs, stepAverageRow } from '../analytics/step-rows.ts';
import type { StepAverageRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

/**
 * Count, average, shortest and longest duration of each step, over its completed spans shorter than 60 s; what that
 * leaves out is counted in `leftOut`. In step order.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function averages(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'averages', StepAverageRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data: statistics, coverage } = await source.ask({ name: 'step-statistics', window, filters });
  const rows = statistics.map(stepAverageRow);
  const mean = meanTotalMs(statistics, coverage.conversations);
  const findings = findAll(RULES_BY_COMMAND.averages, { rows, ...(mean === undefined ? {} : { meanTotalMs: mean }) });
  return buildReport({ command: 'averages', source, window, timeZone, coverage, data: rows, findings });
}

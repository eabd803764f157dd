import { coverageOfSameSpans } from '../analytics/combine-coverage.ts';
import { commonErrorRow } from '../analytics/common-error-row.ts';
import { stepErrorRow } from '../analytics/step-rows.ts';
import type { StepErrorRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

/** How many groups of errors the findings look at. */
const ERRORS_LOOKED_AT = 10;

/**
 * Failure rate of each step: `failed` + `timed_out` + `abandoned` of all its spans in the window. In step order.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function errors(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'errors', StepErrorRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data: statistics, coverage } = await source.ask({ name: 'step-statistics', window, filters, timings: false });
  const rows = statistics.map(stepErrorRow);
  const common = rows.some(({ failures }) => failures > 0)
    ? await source.ask({ name: 'common-errors', window, filters, limit: ERRORS_LOOKED_AT })
    : undefined;
  const findings = findAll(RULES_BY_COMMAND.errors, { rows, commonErrors: common?.data.map(commonErrorRow) ?? [] });
  return buildReport({
    command: 'errors',
    source,
    window,
    timeZone,
    coverage: common === undefined ? coverage : coverageOfSameSpans(coverage, common.coverage),
    data: rows,
    findings,
  });
}

import { commonErrorRow } from '../analytics/common-error-row.ts';
import type { CommonErrorRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkLimit, checkWindowed } from './check-options.ts';

/** What {@link commonErrors} is asked with. */
export interface CommonErrorsOptions extends WindowedOptions {
  /** Most rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * Failures of the window grouped by step, `error.type` and message, most frequent first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function commonErrors(
  source: ConversationSource,
  options: CommonErrorsOptions,
): Promise<Report<'common-errors', CommonErrorRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const { data, coverage } = await source.ask({ name: 'common-errors', window, filters, limit });
  const rows = data.map(commonErrorRow);
  const findings = findAll(RULES_BY_COMMAND.commonErrors, { rows });
  return buildReport({ command: 'common-errors', source, window, timeZone, coverage, data: rows, findings });
}

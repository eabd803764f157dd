import { PERCENTILES, percentilesByName } from '../analytics/step-rows.ts';
import type { StepPercentiles } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import { withWarning } from '../model/coverage.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkWindowed } from './check-options.ts';

/** What {@link percentiles} is asked with. */
export interface PercentilesOptions extends WindowedOptions {
  /** The step's name. */
  step: string;
}

/**
 * P10 to P99 of one step's duration in ms, over its completed spans shorter than 60 s, by linear interpolation at index
 * (n−1)·p/100 of the sorted values. A step never seen has count 0, no percentiles, and a warning in the coverage.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function percentiles(
  source: ConversationSource,
  options: PercentilesOptions,
): Promise<Report<'percentiles', StepPercentiles>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, step } = options;

  const quantiles = PERCENTILES.map(([, rank]) => rank);
  const asked = { window, filters, step, quantiles, timings: false };
  const { data: found, coverage: read } = await source.ask({ name: 'step-statistics', ...asked });
  const statistics = found[0];
  const data: StepPercentiles =
    statistics === undefined
      ? { step, count: 0, leftOut: { tooLong: 0, notCompleted: 0 }, percentiles: {} }
      : {
          step,
          count: statistics.count,
          leftOut: statistics.leftOut,
          percentiles: percentilesByName(statistics.quantilesMs),
        };
  const neverSeen = `no step ${JSON.stringify(step)} was seen in the window; "averages" lists the steps there are`;
  const coverage = statistics === undefined ? withWarning(read, { code: 'step-never-seen', text: neverSeen }) : read;
  const findings = findAll(RULES_BY_COMMAND.percentiles, { data });
  return buildReport({ command: 'percentiles', source, window, timeZone, coverage, data, findings });
}

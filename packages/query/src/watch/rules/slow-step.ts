import { checkNumber } from '../../commands/check-options.ts';
import type { ConversationFilters } from '../../model/window.ts';
import { formatInstant } from '../../time/format-instant.ts';
import type { AlertRule } from '../alert.ts';
import { limitText, measuredText } from '../alert-text.ts';

/** What {@link slowStep} is made with. */
export interface SlowStepOptions {
  step: string;
  /** Which percentile of its duration, 0 to 100. @defaultValue `95` */
  percentile?: number | undefined;
  /** Alerts when that percentile is above this, in milliseconds. */
  aboveMs: number;
  filters?: ConversationFilters | undefined;
}

/**
 * Alerts when a percentile of a step's duration, as `percentiles` counts it, is above a limit.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function slowStep(options: SlowStepOptions): AlertRule {
  const { step, percentile = 95, aboveMs, filters = {} } = options;
  checkNumber('percentile', percentile, 0, 100);
  checkNumber('aboveMs', aboveMs, 0);
  const name = 'slow-step';
  return {
    name,
    async check(source, window) {
      const { data } = await source.ask({
        name: 'step-statistics',
        window,
        filters,
        step,
        quantiles: [percentile / 100],
        timings: false,
      });
      const valueMs = data[0]?.quantilesMs[0];
      if (valueMs === undefined || valueMs <= aboveMs) return [];
      return [
        {
          rule: name,
          severity: 'warning',
          text: `SLOW STEP: ${step} P${percentile} at ${measuredText(valueMs)} (>${limitText(aboveMs)})`,
          evidence: { step, percentile, valueMs, aboveMs, count: data[0]!.count },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}

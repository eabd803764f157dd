import type { ConversationFilters } from '../../model/window.ts';
import { formatInstant } from '../../time/format-instant.ts';
import { percentOf } from '../../analytics/percent.ts';
import { checkNumber } from '../../commands/check-options.ts';
import type { AlertRule } from '../alert.ts';
import { percentText } from '../alert-text.ts';

/** What {@link highErrorRate} is made with. */
export interface HighErrorRateOptions {
  /** Alerts above this share of failed spans, in percent. @defaultValue `10` */
  abovePct?: number | undefined;
  /** Only this step; every step when absent. */
  step?: string | undefined;
  filters?: ConversationFilters | undefined;
}

/**
 * Alerts for each step of which more than `abovePct` of the spans in the window failed (as `errors` counts them).
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function highErrorRate(options: HighErrorRateOptions = {}): AlertRule {
  const { abovePct = 10, step: onlyStep, filters = {} } = options;
  checkNumber('abovePct', abovePct, 0, 100);
  const name = 'high-error-rate';
  return {
    name,
    async check(source, window) {
      const { data } = await source.ask({
        name: 'step-statistics',
        window,
        filters,
        timings: false,
        ...(onlyStep === undefined ? {} : { step: onlyStep }),
      });
      return data
        .filter(({ failures, total }) => failures * 100 > abovePct * total)
        .map(({ step, failures, total }) => {
          const errorRatePct = percentOf(failures, total);
          return {
            rule: name,
            severity: 'problem',
            text: `HIGH ERROR RATE: ${step} at ${percentText(errorRatePct)}`,
            evidence: { step, failures, total, errorRatePct, abovePct },
            time: formatInstant(window.untilUnixNano),
          };
        });
    },
  };
}

import { nanosecondsOf, percentOf } from '../answers/intervals.ts';
import { checkNumber, checkWholeNumber } from '../answers/report.ts';
import type { Evidence, Severity } from '../findings/finding.ts';
import type { ConversationFilters, Window } from '../model/conversation.ts';
import { millisecondsOf } from '../model/numbers.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';

/** Something that needs attention now. */
export interface Alert {
  /** Stable name of the rule, such as `high-error-rate`. */
  rule: string;
  severity: Severity;
  text: string;
  /** The numbers that the text is based on, and `step` if the alert is about one. */
  evidence: Evidence;
  /** End of the window that was checked: RFC 3339 in UTC with 6 decimals. */
  time: string;
}

/** A check that is made in every round. */
export interface AlertRule {
  readonly name: string;
  /**
   * Returns an alert for each problem in `window`, at most one for each `evidence.step`, by which an ongoing condition
   * is recognised in the next round.
   *
   * A `SourceError` means that the back end does not answer, and the watch continues. Any other error ends it.
   */
  check(source: ConversationSource, window: Window): Promise<Alert[]>;
}

/** Options of {@link highErrorRate}. */
export interface HighErrorRateOptions {
  /** Alerts if more than this percentage of spans failed. @defaultValue `10` */
  abovePct?: number | undefined;
  /** Checks only this step. @defaultValue every step */
  step?: string | undefined;
  filters?: ConversationFilters | undefined;
}

/**
 * Alerts for each step of whose spans in the window more than `abovePct` percent failed. Spans that were retried do not
 * count, as in the `finalErrorRatePct` of `errors`.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function highErrorRate(options: HighErrorRateOptions = {}): AlertRule {
  const { abovePct = 10, step: onlyStep, filters = {} } = options;
  checkNumber('abovePct', abovePct, 0, 100);
  const name = 'high-error-rate';
  return {
    name,
    async check(source, window) {
      const asked = { window, filters, timings: false, ...(onlyStep === undefined ? {} : { step: onlyStep }) };
      const { data } = await source.ask({ name: 'step-statistics', ...asked });
      return data
        .filter(({ finalFailures, total, retried }) => finalFailures * 100 > abovePct * (total - retried))
        .map(({ step, failures, total, retried, finalFailures }) => {
          const finalErrorRatePct = percentOf(finalFailures, total - retried);
          return {
            rule: name,
            severity: 'problem',
            text: `HIGH ERROR RATE: ${step} at ${percentText(finalErrorRatePct)}`,
            evidence: { step, failures, total, retried, finalFailures, finalErrorRatePct, abovePct },
            time: formatInstant(window.untilUnixNano),
          };
        });
    },
  };
}

/** Options of {@link slowConversations}. */
export interface SlowConversationsOptions {
  /** A conversation is slow if it takes longer than this, in milliseconds of wall-clock time. @defaultValue `8000` */
  thresholdMs?: number | undefined;
  /** Alerts if there are more slow conversations than this, 0 to 9,999. @defaultValue `3` */
  moreThan?: number | undefined;
  filters?: ConversationFilters | undefined;
}

/** Slow conversations are counted up to this number; beyond it the exact number no longer matters. */
const MAX_COUNTED = 1000;

/**
 * Alerts if more than `moreThan` conversations of the window are slow, counted as by `slow`.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function slowConversations(options: SlowConversationsOptions = {}): AlertRule {
  const { thresholdMs = 8000, moreThan = 3, filters = {} } = options;
  checkNumber('thresholdMs', thresholdMs, 0);
  checkWholeNumber('moreThan', moreThan, 0, MAX_QUESTION_LIMIT - 1);
  const name = 'slow-conversations';
  const limit = Math.max(MAX_COUNTED, moreThan + 1);
  const aboveNano = nanosecondsOf(thresholdMs);
  return {
    name,
    async check(source, window) {
      const asked = { window, filters, order: 'slowest', limit, aboveNano } as const;
      const { data } = await source.ask({ name: 'conversations', ...asked });
      const conversations = data.length;
      if (conversations <= moreThan) return [];
      const atLeast = conversations === limit ? 'at least ' : '';
      return [
        {
          rule: name,
          severity: 'warning',
          text: `SLOW PERFORMANCE: ${atLeast}${conversations} conversations >${limitText(thresholdMs)}`,
          evidence: { conversations, thresholdMs, moreThan },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}

/** Options of {@link slowStep}. */
export interface SlowStepOptions {
  step: string;
  /** Percentile of the step's duration, 0 to 100. @defaultValue `95` */
  percentile?: number | undefined;
  /** Alerts if the percentile is above this, in milliseconds. */
  aboveMs: number;
  filters?: ConversationFilters | undefined;
}

/**
 * Alerts if a percentile of a step's duration, computed as by `percentiles`, is above a limit.
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
      const asked = { window, filters, step, quantiles: [percentile / 100], timings: false };
      const { data } = await source.ask({ name: 'step-statistics', ...asked });
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

/** Options of {@link slowResponse}. */
export interface SlowResponseOptions {
  /** Percentile of the response latency, 0 to 100. @defaultValue `95` */
  percentile?: number | undefined;
  /** Alerts if the percentile is above this, in milliseconds. */
  aboveMs: number;
  filters?: ConversationFilters | undefined;
}

/**
 * Alerts if a percentile of the response latency, over the conversations of the window that have one, is above a limit.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function slowResponse(options: SlowResponseOptions): AlertRule {
  const { percentile = 95, aboveMs, filters = {} } = options;
  checkNumber('percentile', percentile, 0, 100);
  checkNumber('aboveMs', aboveMs, 0);
  const name = 'slow-response';
  return {
    name,
    async check(source, window) {
      const asked = { window, filters, quantiles: [percentile / 100] };
      const { data } = await source.ask({ name: 'response-statistics', ...asked });
      const { conversations: count, quantilesMs } = data[0]!;
      const [valueMs] = quantilesMs;
      if (valueMs === undefined || valueMs <= aboveMs) return [];
      return [
        {
          rule: name,
          severity: 'warning',
          text: `SLOW RESPONSE: P${percentile} at ${measuredText(valueMs)} (>${limitText(aboveMs)})`,
          evidence: { percentile, valueMs, aboveMs, count },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}

/** Options of {@link noConversations}. */
export interface NoConversationsOptions {
  filters?: ConversationFilters | undefined;
}

/** Alerts if no conversation starts in the window: the assistant, or its tracing, may be down. */
export function noConversations(options: NoConversationsOptions = {}): AlertRule {
  const { filters = {} } = options;
  const name = 'no-conversations';
  return {
    name,
    async check(source, window) {
      const { data } = await source.ask({ name: 'conversations', window, filters, order: 'newest', limit: 1 });
      if (data.length > 0) return [];
      const windowMs = millisecondsOf(window.untilUnixNano - window.sinceUnixNano);
      return [
        {
          rule: name,
          severity: 'problem',
          text: `NO CONVERSATIONS: none in the last ${windowText(windowMs)}`,
          evidence: { conversations: 0, windowMs },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}

/** A percentage with at least one and at most two decimals: `25.0%`, `33.33%`. */
function percentText(percentage: number): string {
  return `${percentage.toFixed(2).replace(/0$/, '')}%`;
}

/** A limit in seconds, without trailing zeros: `8s`, `8.5s`. */
function limitText(limitMs: number): string {
  return `${limitMs / 1000}s`;
}

/** A measured duration in seconds, to the millisecond: `6.214s`. */
function measuredText(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(3)}s`;
}

/** The length of a window in the largest unit that gives an integer: `1h`, `90m`, `45s`. */
function windowText(windowMs: number): string {
  if (windowMs % 3_600_000 === 0) return `${windowMs / 3_600_000}h`;
  return windowMs % 60_000 === 0 ? `${windowMs / 60_000}m` : `${windowMs / 1000}s`;
}

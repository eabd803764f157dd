import { METRIC, METRIC_ATTRIBUTE } from '@convotel/conventions';
import { prometheusNameOf, SPAN_METRIC_LABEL } from './prometheus-names.ts';

/** Metrics that programs send themselves, under the names that Prometheus knows. */
export const PROGRAM_METRIC = {
  /** Gauge. */
  conversationActive: prometheusNameOf(METRIC.conversationActive),
  /** Gauge. */
  stepActive: prometheusNameOf(METRIC.stepActive),
  /** Histogram. */
  timeToFirstOutput: prometheusNameOf(METRIC.timeToFirstOutput, 'seconds'),
  /** Histogram. */
  stepTiming: prometheusNameOf(METRIC.stepTiming, 'seconds'),
} as const;

/** Label of {@link PROGRAM_METRIC} that names the part of a step, in `stepTiming`. */
export const PART_LABEL = prometheusNameOf(METRIC_ATTRIBUTE.part);

// Our collector configuration puts the label of span metrics on the programs' own metrics too.
const CHOSEN_SERVICES = `${SPAN_METRIC_LABEL.service}=~"$service"`;
const CHOSEN_STEP = `${prometheusNameOf(METRIC_ATTRIBUTE.step)}="$step"`;

/** Conversations in progress in the chosen services. */
export function openConversations(): string {
  return `sum(${PROGRAM_METRIC.conversationActive}{${CHOSEN_SERVICES}})`;
}

/** Runs of the chosen step in progress. */
export function openSteps(): string {
  return `sum(${PROGRAM_METRIC.stepActive}{${CHOSEN_SERVICES}, ${CHOSEN_STEP}})`;
}

/**
 * Time from the start of the chosen step to its first output that the share `quantile` of runs stayed within,
 * in seconds, estimated from the buckets; without a value where no run had a first output.
 * @param quantile 0 to 1.
 */
export function firstOutputQuantile(quantile: number): string {
  const buckets = `${PROGRAM_METRIC.timeToFirstOutput}_bucket{${CHOSEN_SERVICES}, ${CHOSEN_STEP}}`;
  return `histogram_quantile(${quantile}, sum by (le) (increase(${buckets}[$__rate_interval]))) >= 0`;
}

/** Mean length of each named part of the chosen step, in seconds, over the runs that have the part. */
export function meanTimingByPart(): string {
  const byPart = (suffix: string): string =>
    `sum by (${PART_LABEL}) ` +
    `(increase(${PROGRAM_METRIC.stepTiming}_${suffix}{${CHOSEN_SERVICES}, ${CHOSEN_STEP}}[$__rate_interval]))`;
  return `${byPart('sum')} / (${byPart('count')} > 0)`;
}

import { METRIC, METRIC_ATTRIBUTE } from '@convotel/conventions';
import { prometheusNameOf, SPAN_METRIC_LABEL } from './prometheus-names.ts';

/** Metrics that programs send themselves, under the names that Prometheus knows. */
export const PROGRAM_METRIC = {
  /** Gauge. */
  conversationActive: prometheusNameOf(METRIC.conversationActive),
  /** Gauge. */
  stepActive: prometheusNameOf(METRIC.stepActive),
  /** Histogram, once a conversation. */
  responseLatency: prometheusNameOf(METRIC.responseLatency, 'seconds'),
  /** Histogram. */
  timeToFirstOutput: prometheusNameOf(METRIC.timeToFirstOutput, 'seconds'),
  /** Histogram. */
  stepTiming: prometheusNameOf(METRIC.stepTiming, 'seconds'),
  /** Gauge, by {@link TELEMETRY_LABEL.state}. */
  telemetrySpans: prometheusNameOf(METRIC.telemetrySpans),
} as const;

/** Label of {@link PROGRAM_METRIC} that names the part of a step, in `stepTiming`. */
export const PART_LABEL = prometheusNameOf(METRIC_ATTRIBUTE.part);

/** Labels of `telemetrySpans`. */
export const TELEMETRY_LABEL = {
  state: prometheusNameOf(METRIC_ATTRIBUTE.telemetryState),
  reason: prometheusNameOf(METRIC_ATTRIBUTE.telemetryReason),
} as const;

// Our collector configuration puts the label of span metrics on the programs' own metrics too.
const CHOSEN_SERVICES = `${SPAN_METRIC_LABEL.service}=~"$service"`;
/** Label of {@link PROGRAM_METRIC} that names the step. */
export const STEP_LABEL = prometheusNameOf(METRIC_ATTRIBUTE.step);
const CHOSEN_STEP = `${STEP_LABEL}="$step"`;

/** Spans that the programs keep and have still to send. */
export function waitingSpans(): string {
  return `sum by (${SPAN_METRIC_LABEL.service}) (${PROGRAM_METRIC.telemetrySpans}{${TELEMETRY_LABEL.state}="waiting"})`;
}

/** Spans that the programs have delivered since they started. */
export function deliveredSpans(): string {
  return `sum by (${SPAN_METRIC_LABEL.service}) (${PROGRAM_METRIC.telemetrySpans}{${TELEMETRY_LABEL.state}="delivered"})`;
}

/** Spans that the programs have given up since they started, by reason. */
export function droppedSpans(): string {
  const labels = `${SPAN_METRIC_LABEL.service}, ${TELEMETRY_LABEL.reason}`;
  return `sum by (${labels}) (${PROGRAM_METRIC.telemetrySpans}{${TELEMETRY_LABEL.state}="dropped"})`;
}

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
  return quantileOf(quantile, buckets, ['le'], '$__rate_interval');
}

/** As {@link firstOutputQuantile}, of each step that has a first output. */
export function firstOutputQuantileByStep(quantile: number): string {
  const buckets = `${PROGRAM_METRIC.timeToFirstOutput}_bucket{${CHOSEN_SERVICES}}`;
  return quantileOf(quantile, buckets, ['le', STEP_LABEL], '$__rate_interval');
}

/**
 * Time from the end of the user's input to the first output that the share `quantile` of conversations stayed within, in
 * seconds, estimated from the buckets; without a value where no step answers the user.
 * @param quantile 0 to 1.
 */
export function responseQuantile(quantile: number, lookback: '$__range' | '$__rate_interval'): string {
  return quantileOf(quantile, `${PROGRAM_METRIC.responseLatency}_bucket{${CHOSEN_SERVICES}}`, ['le'], lookback);
}

function quantileOf(quantile: number, buckets: string, labels: readonly string[], lookback: string): string {
  return `histogram_quantile(${quantile}, sum by (${labels.join(', ')}) (increase(${buckets}[${lookback}]))) >= 0`;
}

/** Mean length of each named part of the chosen step, in seconds, over the runs that have the part. */
export function meanTimingByPart(): string {
  const byPart = (suffix: string): string =>
    `sum by (${PART_LABEL}) ` +
    `(increase(${PROGRAM_METRIC.stepTiming}_${suffix}{${CHOSEN_SERVICES}, ${CHOSEN_STEP}}[$__rate_interval]))`;
  return `${byPart('sum')} / (${byPart('count')} > 0)`;
}

import { CONVERSATION_SPAN_NAME, FAILURE_OUTCOMES } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { SPAN_METRIC, SPAN_METRIC_LABEL } from './prometheus-names.ts';

const { outcome: OUTCOME, service: SERVICE, span: SPAN } = SPAN_METRIC_LABEL;
const COMPLETED: Outcome = 'completed';

/**
 * What a query looks back over: the whole range on show, asked once, for single values and tables;
 * or the interval that Grafana finds long enough for a rate, at every point of a curve.
 */
export type Lookback = '$__range' | '$__rate_interval';

/** Which spans a query counts, and the labels by which it keeps them apart. */
export interface SpanScope {
  matchers: readonly string[];
  by: readonly string[];
}

/** Matcher of the services chosen in the dashboard. */
const CHOSEN_SERVICES = `${SERVICE}=~"$service"`;
// A foreign span that happens to have a step's name carries no outcome.
const OURS = `${OUTCOME}!=""`;

/** The root spans of the chosen services. */
export const CONVERSATIONS: SpanScope = {
  matchers: [`${SPAN}="${CONVERSATION_SPAN_NAME}"`, CHOSEN_SERVICES],
  by: [],
};

/** The steps of the chosen services, one row or curve a step. */
export const EVERY_STEP: SpanScope = {
  matchers: [`${SPAN}!="${CONVERSATION_SPAN_NAME}"`, CHOSEN_SERVICES],
  by: [SPAN],
};

/** The step chosen in the dashboard, of the chosen services. */
export const CHOSEN_STEP: SpanScope = { matchers: [`${SPAN}="$step"`, CHOSEN_SERVICES], by: [] };

/** PromQL that lists the services with conversations, for a variable. */
export const SERVICES_QUERY = labelValues(SERVICE, [OURS]);

/** PromQL that lists the steps of the chosen services, for a variable. */
export const STEPS_QUERY = labelValues(SPAN, [OURS, ...EVERY_STEP.matchers]);

/** Spans per minute over the range on show. */
export function perMinute(scope: SpanScope): string {
  return `${increase(SPAN_METRIC.calls, scope, '$__range', [OURS])} / ($__range_s / 60)`;
}

/** Spans in the hour before each point, so to be asked once an hour. */
export function perHour(scope: SpanScope): string {
  return sum(scope, `increase(${selector(SPAN_METRIC.calls, scope, [OURS])}[1h])`);
}

/** Share of spans that failed, timed out or were abandoned, 0 to 1; without a value where there was no span. */
export function errorRatio(scope: SpanScope, lookback: Lookback): string {
  const failed = `${OUTCOME}=~"${FAILURE_OUTCOMES.join('|')}"`;
  return ratio(
    increase(SPAN_METRIC.calls, scope, lookback, [failed]),
    increase(SPAN_METRIC.calls, scope, lookback, [OURS]),
  );
}

/** Share of spans that completed within the target chosen in the dashboard, 0 to 1; without a value without a span. */
export function ratioWithinTarget(scope: SpanScope, lookback: Lookback): string {
  const within = [`${OUTCOME}="${COMPLETED}"`, 'le="$target"'];
  return ratio(
    increase(`${SPAN_METRIC.duration}_bucket`, scope, lookback, within),
    increase(`${SPAN_METRIC.duration}_count`, scope, lookback, [OURS]),
  );
}

/** Mean duration of completed spans, in seconds; without a value where none completed. */
export function meanDuration(scope: SpanScope, lookback: Lookback): string {
  const completed = [`${OUTCOME}="${COMPLETED}"`];
  const seconds = increase(`${SPAN_METRIC.duration}_sum`, scope, lookback, completed);
  return `${seconds} / (${increase(`${SPAN_METRIC.duration}_count`, scope, lookback, completed)} > 0)`;
}

/**
 * Duration that the share `quantile` of completed spans stayed within, in seconds, estimated from the buckets.
 * Where none completed there is no value: the comparison drops the NaN that Prometheus gives then.
 * @param quantile 0 to 1.
 */
export function durationQuantile(scope: SpanScope, quantile: number, lookback: Lookback): string {
  return `histogram_quantile(${quantile}, ${durationBuckets(scope, lookback)}) >= 0`;
}

/** Completed spans by upper bound of their duration, cumulative as Prometheus keeps them. */
export function durationBuckets(scope: SpanScope, lookback: Lookback): string {
  const byBound: SpanScope = { ...scope, by: [...scope.by, 'le'] };
  return increase(`${SPAN_METRIC.duration}_bucket`, byBound, lookback, [`${OUTCOME}="${COMPLETED}"`]);
}

/** Share of all time spent in steps that each row of `scope` took, 0 to 1, whatever its outcome. */
export function shareOfTime(scope: SpanScope, lookback: Lookback): string {
  const metric = `${SPAN_METRIC.duration}_sum`;
  const all = increase(metric, { ...scope, by: [] }, lookback, [OURS]);
  return `${increase(metric, scope, lookback, [OURS])} / on () group_left () (${all} > 0)`;
}

/** Without a part there is a zero as long as there is a whole; without a whole there is no value, and never a NaN. */
function ratio(part: string, whole: string): string {
  return `(${part} or 0 * ${whole}) / (${whole} > 0)`;
}

function increase(metric: string, scope: SpanScope, lookback: Lookback, matchers: readonly string[]): string {
  return sum(scope, `increase(${selector(metric, scope, matchers)}[${lookback}])`);
}

function sum(scope: SpanScope, expression: string): string {
  return scope.by.length === 0 ? `sum(${expression})` : `sum by (${scope.by.join(', ')}) (${expression})`;
}

function selector(metric: string, scope: SpanScope, matchers: readonly string[]): string {
  return `${metric}{${[...scope.matchers, ...matchers].join(', ')}}`;
}

function labelValues(label: string, matchers: readonly string[]): string {
  return `label_values(${SPAN_METRIC.calls}{${matchers.join(', ')}}, ${label})`;
}

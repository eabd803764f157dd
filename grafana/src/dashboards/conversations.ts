import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { curvePanel, hourlyBarPanel, shadedCurvePanel, stackedCurvePanel } from '../panels/curve-panel.ts';
import { heatmapPanel } from '../panels/distribution-panels.ts';
import { curveQuery, durationCurveQuery } from '../panels/queries.ts';
import { tablePanel } from '../panels/table-panel.ts';
import { valuePanel } from '../panels/value-panel.ts';
import {
  firstOutputQuantileByStep,
  openConversations,
  PROGRAM_METRIC,
  responseQuantile,
  STEP_LABEL,
} from '../queries/program-metrics.ts';
import {
  CONVERSATIONS,
  durationBuckets,
  durationQuantile,
  errorRatio,
  EVERY_STEP,
  meanDuration,
  perHour,
  perMinute,
  ratioWithinTarget,
  shareOfTime,
} from '../queries/span-metrics.ts';
import { dataSourceVariable, serviceVariable, targetVariable } from '../variables.ts';
import { buildDashboard, DASHBOARD_UID } from './dashboard.ts';
import { BUCKET_ESTIMATE, LATE_SPANS, NO_DATA } from './reading-notes.ts';
import { SPAN_METRIC, SPAN_METRIC_LABEL } from '../queries/prometheus-names.ts';

const { calls, duration } = SPAN_METRIC;
const ROOT_DURATION =
  'A conversation lasts from the start of its root span to its end, which is the wall clock, not the sum of its steps.';

/** How conversations fare as a whole, and which step to look at next. */
export function conversationsDashboard(): Dashboard {
  return buildDashboard({
    uid: DASHBOARD_UID.conversations,
    title: 'Conversations',
    description: 'How many conversations there are, how long they take, what fails, and which step makes users wait.',
    variables: [dataSourceVariable(), serviceVariable(), targetVariable()],
    sections: [
      { heading: 'At a glance', panels: glance() },
      { heading: 'Response', panels: response() },
      { heading: 'Time', panels: time() },
      { heading: 'Errors and traffic', panels: errorsAndTraffic() },
      { heading: 'Step by step', panels: [stepTable()] },
    ],
  });
}

function glance() {
  return [
    valuePanel(
      {
        title: 'Rate',
        shows: 'Conversations per minute that ended, over the time range.',
        metrics: [calls],
        notCounted: `conversations still open. ${LATE_SPANS}`,
        unit: 'cpm',
        width: 4,
      },
      perMinute(CONVERSATIONS),
    ),
    valuePanel(
      {
        title: 'Errors',
        shows: 'Share of conversations that failed, timed out or were abandoned, over the time range.',
        metrics: [calls],
        notCounted: 'conversations still open; steps that failed and were caught, so that the conversation completed.',
        unit: 'percentunit',
        width: 4,
      },
      errorRatio(CONVERSATIONS, '$__range'),
    ),
    durationValue('p50', 0.5),
    durationValue('p95', 0.95),
    valuePanel(
      {
        title: 'Within ${target:text}',
        shows: `Share of conversations that completed within the target. ${ROOT_DURATION}`,
        metrics: [`${duration}_bucket`, `${duration}_count`],
        notCounted: 'conversations still open. One that failed counts as not within the target, however short.',
        unit: 'percentunit',
        width: 4,
      },
      ratioWithinTarget(CONVERSATIONS, '$__range'),
    ),
    valuePanel(
      {
        title: 'Open now',
        shows: 'Conversations in progress, as the programs themselves count them.',
        metrics: [PROGRAM_METRIC.conversationActive],
        notCounted:
          'programs that send no metrics of their own. A program that died is counted until the collector forgets it.',
        unit: 'short',
        width: 4,
      },
      openConversations(),
    ),
  ];
}

function durationValue(name: string, quantile: number) {
  return valuePanel(
    {
      title: name,
      shows: `Time that ${quantile * 100} % of completed conversations stayed within. ${ROOT_DURATION} ${BUCKET_ESTIMATE}`,
      metrics: [`${duration}_bucket`],
      notCounted: 'conversations that did not complete.',
      unit: 's',
      width: 4,
    },
    durationQuantile(CONVERSATIONS, quantile, '$__range'),
  );
}

const RESPONSE =
  "Response latency is the time from the end of the user's input to the first output that the user perceives.";
const NOT_ANSWERED =
  'conversations in which no step answers the user, nor any streams; programs that send no metrics of their own.';

function responseValue(name: string, quantile: number) {
  return valuePanel(
    {
      title: `Response ${name}`,
      shows: `Response latency that ${quantile * 100} % of conversations stayed within. ${RESPONSE} ${BUCKET_ESTIMATE}`,
      metrics: [`${PROGRAM_METRIC.responseLatency}_bucket`],
      notCounted: NOT_ANSWERED,
      unit: 's',
      noValue: NO_DATA.response,
      width: 12,
    },
    responseQuantile(quantile, '$__range'),
  );
}

function response() {
  const percentile = (quantile: number, refId: string) =>
    curveQuery(responseQuantile(quantile, '$__rate_interval'), `p${quantile * 100}`, refId);
  return [
    responseValue('p50', 0.5),
    responseValue('p95', 0.95),
    shadedCurvePanel(
      {
        title: 'Percentiles of response latency',
        shows: `Response latency that 50, 95 and 99 % of conversations stayed within. ${RESPONSE} ${BUCKET_ESTIMATE}`,
        metrics: [`${PROGRAM_METRIC.responseLatency}_bucket`],
        notCounted: NOT_ANSWERED,
        unit: 's',
        noValue: NO_DATA.response,
        width: 12,
        height: 9,
      },
      [percentile(0.5, 'A'), percentile(0.95, 'B'), percentile(0.99, 'C')],
    ),
    curvePanel(
      {
        title: 'First output by step',
        shows: `Time from the start of each step to its first output that 95 % of its runs stayed within. ${BUCKET_ESTIMATE}`,
        metrics: [`${PROGRAM_METRIC.timeToFirstOutput}_bucket`],
        notCounted: 'runs without a first output; programs that send no metrics of their own.',
        unit: 's',
        noValue: NO_DATA.firstOutput,
        width: 12,
        height: 9,
      },
      [curveQuery(firstOutputQuantileByStep(0.95), `{{${STEP_LABEL}}}`)],
    ),
  ];
}

function time() {
  const percentile = (quantile: number, refId: string) =>
    durationCurveQuery(durationQuantile(CONVERSATIONS, quantile, '$__rate_interval'), `p${quantile * 100}`, refId);
  return [
    stackedCurvePanel(
      {
        title: 'Where the time goes',
        shows:
          'Mean duration of each step, one above the other: the height is a conversation that runs each step once.',
        metrics: [`${duration}_sum`, `${duration}_count`],
        notCounted:
          'steps that did not complete; time between steps. A step inside another step is counted in both. ' +
          'Steps of 60 s and more are in, which `convotel averages` leaves out.',
        unit: 's',
        width: 24,
        height: 9,
      },
      [curveQuery(meanDuration(EVERY_STEP, '$__rate_interval'), `{{${SPAN_METRIC_LABEL.span}}}`)],
    ),
    heatmapPanel(
      {
        title: 'Duration of conversations',
        shows: `How many completed conversations took how long; points are single conversations, to be opened in Jaeger. ${ROOT_DURATION}`,
        metrics: [`${duration}_bucket`],
        notCounted: 'conversations that did not complete. Values within one bucket are indistinguishable.',
        unit: 's',
        width: 12,
        height: 9,
      },
      durationBuckets(CONVERSATIONS, '$__rate_interval'),
    ),
    shadedCurvePanel(
      {
        title: 'Percentiles of conversations',
        shows: `Time that 50, 95 and 99 % of completed conversations stayed within. ${ROOT_DURATION} ${BUCKET_ESTIMATE}`,
        metrics: [`${duration}_bucket`],
        notCounted: 'conversations that did not complete.',
        unit: 's',
        width: 12,
        height: 9,
      },
      [percentile(0.5, 'A'), percentile(0.95, 'B'), percentile(0.99, 'C')],
    ),
  ];
}

function errorsAndTraffic() {
  return [
    curvePanel(
      {
        title: 'Errors by step',
        shows: 'Share of the runs of each step that failed, timed out or were abandoned.',
        metrics: [calls],
        notCounted: 'steps still open. An interrupted run is not an error, and a retried step counts each attempt.',
        unit: 'percentunit',
        width: 12,
        height: 8,
      },
      [curveQuery(errorRatio(EVERY_STEP, '$__rate_interval'), `{{${SPAN_METRIC_LABEL.span}}}`)],
    ),
    hourlyBarPanel(
      {
        title: 'Busy hours',
        shows: 'Conversations that ended in the hour before each bar; choose a range of a day or more.',
        metrics: [calls],
        notCounted: `conversations still open. ${LATE_SPANS}`,
        unit: 'short',
        width: 12,
        height: 8,
      },
      curveQuery(perHour(CONVERSATIONS), 'Conversations'),
    ),
  ];
}

function stepTable() {
  const stepDetail = `/d/${DASHBOARD_UID.stepDetail}?\${__url_time_range}&\${datasource:queryparam}&\${service:queryparam}`;
  return tablePanel(
    {
      title: 'Steps',
      shows: `Each step over the time range; a step's name links to its details. ${BUCKET_ESTIMATE}`,
      metrics: [calls, `${duration}_bucket`, `${duration}_sum`],
      notCounted:
        'steps still open. p50 and p95 are of completed runs; the share is of all time spent in steps, failed runs too.',
      unit: 'short',
      width: 24,
      height: 8,
    },
    {
      label: SPAN_METRIC_LABEL.span,
      title: 'Step',
      link: { title: 'Details of this step', url: `${stepDetail}&var-step=\${__value.raw}` },
    },
    [
      { title: 'Rate', expression: perMinute(EVERY_STEP), unit: 'cpm' },
      { title: 'Errors', expression: errorRatio(EVERY_STEP, '$__range'), unit: 'percentunit' },
      { title: 'p50', expression: durationQuantile(EVERY_STEP, 0.5, '$__range'), unit: 's' },
      { title: 'p95', expression: durationQuantile(EVERY_STEP, 0.95, '$__range'), unit: 's' },
      { title: 'Share of time', expression: shareOfTime(EVERY_STEP, '$__range'), unit: 'percentunit' },
    ],
  );
}

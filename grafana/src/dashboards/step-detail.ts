import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { curvePanel, shadedCurvePanel } from '../panels/curve-panel.ts';
import { distributionPanel, heatmapPanel } from '../panels/distribution-panels.ts';
import { curveQuery, durationCurveQuery } from '../panels/queries.ts';
import { valuePanel } from '../panels/value-panel.ts';
import {
  firstOutputQuantile,
  meanTimingByPart,
  openSteps,
  PART_LABEL,
  PROGRAM_METRIC,
} from '../queries/program-metrics.ts';
import {
  CHOSEN_STEP,
  durationBuckets,
  durationQuantile,
  errorRatio,
  meanDuration,
  perMinute,
} from '../queries/span-metrics.ts';
import { dataSourceVariable, serviceVariable, stepVariable } from '../variables.ts';
import { buildDashboard, DASHBOARD_UID } from './dashboard.ts';
import { BUCKET_ESTIMATE, LATE_SPANS, NO_DATA } from './reading-notes.ts';
import { SPAN_METRIC } from '../queries/prometheus-names.ts';

const { calls, duration } = SPAN_METRIC;
const NOT_COMPLETED = 'runs that did not complete.';
const NO_PROGRAM_METRICS = 'programs that send no metrics of their own';

/** One step: how long it takes, how often it fails, and what it spends its time on. */
export function stepDetailDashboard(): Dashboard {
  return buildDashboard({
    uid: DASHBOARD_UID.stepDetail,
    title: 'Step detail',
    description: 'One step: how long it takes, how often it fails, and what it spends its time on.',
    variables: [dataSourceVariable(), serviceVariable(), stepVariable()],
    sections: [
      { heading: '$step', panels: glance() },
      { heading: 'Duration', panels: durations() },
      { heading: 'Inside the step', panels: inside() },
    ],
  });
}

function glance() {
  return [
    valuePanel(
      {
        title: 'Rate',
        shows: 'Runs of the step per minute, over the time range; each attempt is a run.',
        metrics: [calls],
        notCounted: `runs still open. ${LATE_SPANS}`,
        unit: 'cpm',
        width: 6,
      },
      perMinute(CHOSEN_STEP),
    ),
    valuePanel(
      {
        title: 'Errors',
        shows: 'Share of runs that failed, timed out or were abandoned, over the time range.',
        metrics: [calls],
        notCounted: 'runs still open. An interrupted run is not an error.',
        unit: 'percentunit',
        width: 6,
      },
      errorRatio(CHOSEN_STEP, '$__range'),
    ),
    valuePanel(
      {
        title: 'Mean',
        shows: 'Mean duration of completed runs, over the time range.',
        metrics: [`${duration}_sum`, `${duration}_count`],
        notCounted: `${NOT_COMPLETED} Runs of 60 s and more are in, which \`convotel averages\` leaves out.`,
        unit: 's',
        width: 6,
      },
      meanDuration(CHOSEN_STEP, '$__range'),
    ),
    valuePanel(
      {
        title: 'Open now',
        shows: 'Runs of the step in progress, as the programs themselves count them.',
        metrics: [PROGRAM_METRIC.stepActive],
        notCounted: `${NO_PROGRAM_METRICS}. One that died is counted until the collector forgets it.`,
        unit: 'short',
        width: 6,
      },
      openSteps(),
    ),
  ];
}

function durations() {
  const percentile = (quantile: number, refId: string) =>
    durationCurveQuery(durationQuantile(CHOSEN_STEP, quantile, '$__rate_interval'), `p${quantile * 100}`, refId);
  return [
    shadedCurvePanel(
      {
        title: 'Percentiles and mean',
        shows: `Time that 50, 95 and 99 % of completed runs stayed within, and their mean. ${BUCKET_ESTIMATE} The mean is exact.`,
        metrics: [`${duration}_bucket`, `${duration}_sum`, `${duration}_count`],
        notCounted: NOT_COMPLETED,
        unit: 's',
        width: 12,
        height: 9,
      },
      [
        percentile(0.5, 'A'),
        percentile(0.95, 'B'),
        percentile(0.99, 'C'),
        curveQuery(meanDuration(CHOSEN_STEP, '$__rate_interval'), 'mean', 'D'),
      ],
    ),
    heatmapPanel(
      {
        title: 'Duration',
        shows: 'How many completed runs took how long; points are single runs, whose conversation opens in Jaeger.',
        metrics: [`${duration}_bucket`],
        notCounted: `${NOT_COMPLETED} Values within one bucket are indistinguishable.`,
        unit: 's',
        width: 12,
        height: 9,
      },
      durationBuckets(CHOSEN_STEP, '$__rate_interval'),
    ),
    distributionPanel(
      {
        title: 'Distribution',
        shows:
          'Completed runs by duration over the time range; each bar is named after its longest duration, in seconds.',
        metrics: [`${duration}_bucket`],
        notCounted: NOT_COMPLETED,
        unit: 'short',
        width: 12,
        height: 12,
      },
      durationBuckets(CHOSEN_STEP, '$__range'),
    ),
    curvePanel(
      {
        title: 'Errors',
        shows: 'Share of runs that failed, timed out or were abandoned.',
        metrics: [calls],
        notCounted: 'runs still open. An interrupted run is not an error, and each attempt is a run.',
        unit: 'percentunit',
        width: 12,
        height: 12,
      },
      [curveQuery(errorRatio(CHOSEN_STEP, '$__rate_interval'), 'errors')],
    ),
  ];
}

function inside() {
  return [
    shadedCurvePanel(
      {
        title: 'First output',
        shows: `Time from the start of the step to its first chunk that 50 and 95 % of runs stayed within. ${BUCKET_ESTIMATE}`,
        metrics: [`${PROGRAM_METRIC.timeToFirstOutput}_bucket`],
        notCounted: `runs without a first output; ${NO_PROGRAM_METRICS}.`,
        unit: 's',
        noValue: NO_DATA.firstOutput,
        width: 12,
        height: 8,
      },
      [curveQuery(firstOutputQuantile(0.5), 'p50', 'A'), curveQuery(firstOutputQuantile(0.95), 'p95', 'B')],
    ),
    curvePanel(
      {
        title: 'Timing parts',
        shows: 'Mean length of each named part of the step, such as `queue_wait`, over the runs that have it.',
        metrics: [`${PROGRAM_METRIC.stepTiming}_sum`, `${PROGRAM_METRIC.stepTiming}_count`],
        notCounted: `time that belongs to no named part; ${NO_PROGRAM_METRICS}. Parts may overlap.`,
        unit: 's',
        width: 12,
        height: 8,
      },
      [curveQuery(meanTimingByPart(), `{{${PART_LABEL}}}`)],
    ),
  ];
}

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { curvePanel } from '../panels/curve-panel.ts';
import { curveQuery } from '../panels/queries.ts';
import { valuePanel } from '../panels/value-panel.ts';
import {
  acceptedSpans,
  COLLECTOR_LABEL,
  COLLECTOR_METRIC,
  lostSpans,
  newestSpanAge,
  queueFill,
  reachableParts,
  RECORDED_METRIC,
  refusedSpans,
  residentMemory,
  sentSpans,
} from '../queries/collector-metrics.ts';
import { dataSourceVariable } from '../variables.ts';
import { buildDashboard, DASHBOARD_UID } from './dashboard.ts';

const {
  acceptedSpans: accepted,
  enqueueFailedSpans,
  failedSpans,
  queueCapacity,
  queueSize,
  refusedSpans: refused,
  residentMemory: memory,
  sendFailedSpans,
  sentSpans: sent,
} = COLLECTOR_METRIC;
const RECEIVER = `{{${COLLECTOR_LABEL.receiver}}} {{${COLLECTOR_LABEL.transport}}}`;
const EXPORTER = `{{${COLLECTOR_LABEL.exporter}}}`;
const HALF = 12;

/** Whether the numbers of the other dashboards can be trusted: what the collector received, sent and lost. */
export function telemetryHealthDashboard(): Dashboard {
  return buildDashboard({
    uid: DASHBOARD_UID.telemetryHealth,
    title: 'Telemetry health',
    description: 'Whether the other dashboards can be trusted: what the collector received, sent and lost.',
    variables: [dataSourceVariable()],
    sections: [
      { heading: 'At a glance', panels: glance() },
      { heading: 'Into the collector', panels: intoTheCollector() },
      { heading: 'Out of the collector', panels: outOfTheCollector() },
    ],
  });
}

function glance() {
  return [
    valuePanel(
      {
        title: 'Age of the newest span',
        shows: 'Time since spans last reached the collector, to half a minute.',
        metrics: [RECORDED_METRIC.spansLastReceived],
        notCounted: 'spans that wait in a program; spans from before the time range.',
        unit: 's',
        width: HALF,
      },
      newestSpanAge(),
    ),
    curvePanel(
      {
        title: 'Reachable',
        shows: 'Parts of the stack that Prometheus can scrape: 1, else 0.',
        metrics: ['up'],
        notCounted: 'parts that Prometheus does not scrape, such as your own programs.',
        unit: 'short',
        width: HALF,
        height: 4,
      },
      [curveQuery(reachableParts(), '{{job}}')],
    ),
  ];
}

function intoTheCollector() {
  return [
    curvePanel(
      {
        title: 'Received',
        shows: 'Spans per second that the collector received, of all services and kinds.',
        metrics: [accepted],
        notCounted: 'spans that it refused. One that a program sent twice counts twice.',
        unit: 'cps',
        width: HALF,
        height: 8,
      },
      [curveQuery(acceptedSpans(), RECEIVER)],
    ),
    curvePanel(
      {
        title: 'Refused',
        shows:
          'Spans per second that the collector refused, short of memory or with a full queue, or failed to receive.',
        metrics: [refused, failedSpans],
        notCounted: 'requests that it could not parse. A span that is refused and sent again counts each time.',
        unit: 'cps',
        width: HALF,
        height: 8,
      },
      [curveQuery(refusedSpans(), RECEIVER)],
    ),
  ];
}

function outOfTheCollector() {
  return [
    curvePanel(
      {
        title: 'Queued',
        shows: 'How full the queue of each exporter is. It fills while its back end is down.',
        metrics: [queueSize, queueCapacity],
        notCounted: 'what an exporter is sending at the moment.',
        unit: 'percentunit',
        width: HALF,
        height: 8,
      },
      [curveQuery(queueFill(), EXPORTER)],
    ),
    curvePanel(
      {
        title: 'Failed',
        shows: 'Spans per second that the collector gave up on, or that found the queue full: they are lost.',
        metrics: [sendFailedSpans, enqueueFailedSpans, queueSize],
        notCounted: 'failed attempts whose retry succeeded.',
        unit: 'cps',
        width: HALF,
        height: 8,
      },
      [curveQuery(lostSpans(), EXPORTER)],
    ),
    curvePanel(
      {
        title: 'Sent',
        shows: 'Spans per second that the back ends behind the collector took.',
        metrics: [sent],
        notCounted: 'spans that are counted only, not passed on, such as those behind Prometheus.',
        unit: 'cps',
        width: HALF,
        height: 8,
      },
      [curveQuery(sentSpans(), EXPORTER)],
    ),
    curvePanel(
      {
        title: 'Memory',
        shows: 'Resident memory of the collector. Near its limit it refuses spans.',
        metrics: [memory],
        notCounted: 'the files of its queues.',
        unit: 'bytes',
        width: HALF,
        height: 8,
      },
      [curveQuery(residentMemory(), '{{instance}}')],
    ),
  ];
}

import { METRIC, METRIC_ATTRIBUTE } from '@convotel/conventions';
import { COLLECTOR_LABEL, COLLECTOR_METRIC } from '../../grafana/src/queries/collector-metrics.ts';
import { prometheusNameOf, SPAN_METRIC, SPAN_METRIC_LABEL } from '../../grafana/src/queries/prometheus-names.ts';

const HISTOGRAM_PARTS = ['_bucket', '_sum', '_count'];
const HISTOGRAMS = [
  SPAN_METRIC.duration,
  ...[
    METRIC.conversationDuration,
    METRIC.stepDuration,
    METRIC.responseLatency,
    METRIC.timeToFirstOutput,
    METRIC.stepTiming,
  ].map((name) => prometheusNameOf(name, 'seconds')),
];

/** Every metric that dashboards and rules may read, apart from what rules record. */
export const KNOWN_METRICS: ReadonlySet<string> = new Set([
  SPAN_METRIC.calls,
  ...HISTOGRAMS.flatMap((name) => HISTOGRAM_PARTS.map((part) => `${name}${part}`)),
  prometheusNameOf(METRIC.conversationActive),
  prometheusNameOf(METRIC.stepActive),
  prometheusNameOf(METRIC.telemetrySpans),
  // Checked against a running collector's own page in tests/stack/grafana-collector-metrics.test.ts.
  ...Object.values(COLLECTOR_METRIC),
  // Prometheus's own.
  'up',
]);

/** Every label that dashboards and rules may name. The conversation id is none of them. */
export const KNOWN_LABELS: ReadonlySet<string> = new Set([
  ...Object.values(SPAN_METRIC_LABEL),
  ...Object.values(METRIC_ATTRIBUTE).map((name) => prometheusNameOf(name)),
  ...Object.values(COLLECTOR_LABEL),
  // Prometheus's own.
  'le',
  'job',
  'instance',
]);

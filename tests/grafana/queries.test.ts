import { describe, expect, test } from '@jest/globals';
import { RECORDED_METRIC } from '../../grafana/src/queries/collector-metrics.ts';
import { dataPanels, readDashboards } from './dashboards.ts';
import type { Query } from './dashboards.ts';
import { KNOWN_LABELS, KNOWN_METRICS } from './known-names.ts';
import { fillVariables, partsOf } from './promql.ts';
import { EXAMPLE_VALUES } from './variable-values.ts';

const QUERIES = readDashboards().flatMap(([name, dashboard]) =>
  dataPanels(dashboard).flatMap(({ title, targets }) =>
    targets!.map((query): [string, Query] => [`${name}: ${title} ${query.refId}`, query]),
  ),
);
// The books of a program are up-down counters: they are shown as they are.
const COUNTER = /(?<!conversation_telemetry)_(total|bucket|sum|count|spans)$/;

describe.each(QUERIES)('%s', (_, { expr, instant }) => {
  const parts = partsOf(fillVariables(expr, EXAMPLE_VALUES));

  test('is PromQL', () => {
    expect(parts.errors).toEqual([]);
  });

  test('reads only metrics and labels that the conventions or the collector know', () => {
    for (const metric of parts.metrics) {
      expect([...KNOWN_METRICS, ...Object.values(RECORDED_METRIC)]).toContain(metric);
    }
    for (const label of parts.labels) expect([...KNOWN_LABELS]).toContain(label);
  });

  test('counts over the interval that Grafana chooses, or over the whole range when asked once', () => {
    const bare = partsOf(
      expr
        .replaceAll('$__rate_interval', '11m')
        .replaceAll('$__range_s', '1')
        .replaceAll('$__range', '22m')
        .replaceAll(/\$\w+/g, 'x'),
    );
    for (const { range } of bare.ranges) {
      // Hours of the clock are one hour long, whatever the zoom.
      if (!expr.endsWith('[1h]))')) expect(range).toBe(instant ? '22m' : '11m');
    }
  });

  test('never shows a bare counter', () => {
    const counters = parts.metrics.filter((metric) => COUNTER.test(metric));
    const counted = parts.ranges.filter(({ name }) => name === 'increase' || name === 'rate');
    expect(counted.length).toBe(counters.length);
  });
});

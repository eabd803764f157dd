import { describe, expect, test } from '@jest/globals';
import { METRIC } from '@convotel/conventions';
import { dataPanels, readDashboards } from './dashboards.ts';
import type { Panel } from './dashboards.ts';
import { fillVariables, partsOf } from './promql.ts';
import { EXAMPLE_VALUES } from './variable-values.ts';
import { SPAN_METRIC } from '../../grafana/src/queries/prometheus-names.ts';

const CHOSEN_PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
/** Ids of Grafana's that our panels use: a wrong one would show as a word behind the number. */
const UNITS = ['s', 'percentunit', 'short', 'cpm', 'cps', 'bytes'];
const PANELS = readDashboards().flatMap(([name, dashboard]) =>
  dataPanels(dashboard).map((panel): [string, Panel] => [`${name}: ${panel.title}`, panel]),
);

function metricsOf(panel: Panel): string[] {
  const expressions = panel.targets!.map(({ expr }) => fillVariables(expr, EXAMPLE_VALUES));
  return [...new Set(expressions.flatMap((expression) => partsOf(expression).metrics))].toSorted();
}

/** What a panel says where it has no value: traffic alone does not fill each of them. */
function whyNoValue(panel: Panel): string {
  const [metric] = metricsOf(panel);
  if (metric === 'conversation_response_latency_seconds_bucket') return 'No data: no step answers the user';
  if (metric === 'conversation_step_time_to_first_output_seconds_bucket') return 'No data: no step has a first output';
  return 'No traffic';
}

describe.each(PANELS)('%s', (_, panel) => {
  test('says what it shows, from which metrics, and what it does not count', () => {
    expect(panel.title).not.toBe('');
    const [shows, metrics, notCounted, ...rest] = panel.description!.split('\n\n');
    expect(shows).toMatch(/^[A-Z].{20,}\.$/s);
    const named = [...metrics!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    expect(metrics).toMatch(/^Metric: /);
    expect(named.toSorted()).toEqual(metricsOf(panel));
    expect(notCounted).toMatch(/^Not counted: .{10,}\.$/s);
    expect(rest).toEqual([]);
  });

  test('has a unit that Grafana knows, and says where there is no value why', () => {
    const { unit, noValue, mappings } = panel.fieldConfig!.defaults;
    const columnUnits = panel
      .fieldConfig!.overrides.flatMap(({ properties }) => properties)
      .filter(({ id }) => id === 'unit')
      .map(({ value }) => value);
    for (const each of [unit, ...columnUnits]) expect(UNITS).toContain(each);
    if (panel.type === 'heatmap') expect(panel.options?.yAxis?.unit).toBe(unit);
    expect(noValue).toBe(whyNoValue(panel));
    expect(mappings).toEqual([
      { type: 'special', options: { match: 'null+nan', result: { text: noValue, index: 0 } } },
    ]);
  });

  test('asks the chosen data source, and nothing but PromQL', () => {
    expect(panel.datasource).toEqual(CHOSEN_PROMETHEUS);
    expect(panel.targets!.length).toBeGreaterThan(0);
    for (const query of panel.targets!) {
      expect(query.datasource).toEqual(CHOSEN_PROMETHEUS);
      expect(query.instant).toBe(!query.range);
    }
    expect(new Set(panel.targets!.map(({ refId }) => refId)).size).toBe(panel.targets!.length);
  });

  test('offers traces on every curve of durations that the collector keeps examples for', () => {
    for (const { expr, range, exemplar } of panel.targets!) {
      expect(exemplar === true).toBe(range && expr.includes(`${SPAN_METRIC.duration}_bucket`));
    }
  });

  test('calls an estimate an estimate', () => {
    const estimates = panel.targets!.some(({ expr }) => expr.includes('histogram_quantile'));
    expect(/estimate from the buckets/i.test(panel.description!)).toBe(estimates);
  });

  test('shows time in seconds and shares as shares', () => {
    const expressions = panel.targets!.map(({ expr }) => expr);
    const { unit } = panel.fieldConfig!.defaults;
    if (panel.type !== 'table' && expressions.every((expr) => /^histogram_quantile|_sum\{.*_count\{/.test(expr))) {
      expect(unit).toBe('s');
    }
    if (/share|how full/i.test(panel.description!.split('.')[0]!)) expect(unit).toBe('percentunit');
  });
});

describe('the panels together', () => {
  test.each(readDashboards())('%s: neither overlap nor leave the grid', (_, { panels }) => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`) ?? title).toBe(title);
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  test.each(readDashboards())('%s: have ids of their own', (_, { panels }) => {
    expect(panels.map(({ id }) => id)).toEqual(panels.map((panel, index) => index + 1));
  });

  test('never show a conversation id, which would be a series a conversation', () => {
    for (const [, dashboard] of readDashboards()) {
      expect(JSON.stringify(dashboard)).not.toMatch(/conversation[._]id\b|\btrace_id\b/);
    }
  });

  test('read the metrics that programs send about what is in progress', () => {
    const shown = new Set(PANELS.flatMap(([, panel]) => metricsOf(panel)));
    for (const name of [METRIC.conversationActive, METRIC.stepActive]) {
      expect(shown).toContain(name.replaceAll('.', '_'));
    }
  });
});

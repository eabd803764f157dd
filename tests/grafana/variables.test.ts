import { describe, expect, test } from '@jest/globals';
import { DURATION_BUCKET_BOUNDS_SECONDS, THRESHOLD } from '@convotel/conventions';
import { dataPanels, readDashboards } from './dashboards.ts';
import type { Variable } from './dashboards.ts';
import { KNOWN_LABELS, KNOWN_METRICS } from './known-names.ts';
import { fillVariables, partsOf } from './promql.ts';
import { EXAMPLE_VALUES } from './variable-values.ts';
import { prometheusBucketLabelOf } from '../../grafana/src/queries/prometheus-names.ts';

const REFRESH_WHEN_THE_RANGE_CHANGES = 2;

function queryOf({ query }: Variable): string {
  return typeof query === 'string' ? query : query.query;
}

describe.each(readDashboards())('%s', (_, dashboard) => {
  const variables = dashboard.templating.list;

  test('can be provisioned: classic JSON, not to be edited in place, known by its address', () => {
    expect(dashboard.schemaVersion).toBe(42);
    expect(dashboard.editable).toBe(false);
    expect(dashboard.uid).toMatch(/^convotel-[a-z-]+$/);
    expect(dashboard.description.length).toBeGreaterThan(20);
  });

  test('has one variable for the data source, and it comes first', () => {
    expect(variables.filter(({ type }) => type === 'datasource')).toHaveLength(1);
    expect(variables[0]).toMatchObject({ name: 'datasource', query: 'prometheus', label: 'Data source' });
  });

  test('asks for labels that exist, of the chosen data source, again when the range changes', () => {
    for (const variable of variables.filter(({ type }) => type === 'query')) {
      expect(variable.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(variable.refresh).toBe(REFRESH_WHEN_THE_RANGE_CHANGES);
      const asked = /^label_values\((.*), (\w+)\)$/.exec(fillVariables(queryOf(variable), EXAMPLE_VALUES))!;
      const parts = partsOf(asked[1]!);
      expect(parts.errors).toEqual([]);
      for (const metric of parts.metrics) expect([...KNOWN_METRICS]).toContain(metric);
      for (const label of [...parts.labels, asked[2]!]) expect([...KNOWN_LABELS]).toContain(label);
    }
  });

  test('offers as targets exactly the bounds of the buckets, and starts with the shipped target', () => {
    const target = variables.find(({ name }) => name === 'target');
    const uses = dataPanels(dashboard).some(({ targets }) => targets!.some(({ expr }) => expr.includes('$target')));
    expect(target !== undefined).toBe(uses);
    if (target === undefined) return;
    const choices = queryOf(target)
      .split(', ')
      .map((choice) => choice.split(' : '));
    expect(choices.map(([, value]) => value)).toEqual(DURATION_BUCKET_BOUNDS_SECONDS.map(prometheusBucketLabelOf));
    expect(choices.map(([text]) => text)).toEqual(DURATION_BUCKET_BOUNDS_SECONDS.map((bound) => `${bound} s`));
    expect(target.current!.value).toBe(prometheusBucketLabelOf(THRESHOLD.targetMs / 1000));
  });

  test('uses every variable that it offers', () => {
    const text = JSON.stringify({ panels: dashboard.panels, queries: variables.map(queryOf) });
    const unused = variables.filter(({ name }) => !new RegExp(`\\$\\{?${name}\\b`).test(text) && name !== 'datasource');
    expect(unused.map(({ name }) => name)).toEqual([]);
  });
});

import { DURATION_BUCKET_BOUNDS_SECONDS, THRESHOLD } from '@convotel/conventions';
import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { CHOSEN_CLICKHOUSE, CHOSEN_PROMETHEUS } from './data-source.ts';
import { STEP_NAMES_SQL } from './queries/exact-durations.ts';
import { SERVICES_QUERY, STEPS_QUERY } from './queries/span-metrics.ts';
import { prometheusBucketLabelOf } from './queries/prometheus-names.ts';

/** `$datasource`: the one choice of where data come from. */
export function dataSourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

/** `$datasource` of a dashboard that asks ClickHouse. */
export function clickHouseVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type(CHOSEN_CLICKHOUSE.type!);
}

/** `$step` as ClickHouse knows it: one step of those in the range. */
export function clickHouseStepVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('step')
    .label('Step')
    .datasource(CHOSEN_CLICKHOUSE)
    .query(STEP_NAMES_SQL)
    .definition(STEP_NAMES_SQL)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** `$service`: any number of services with conversations; all of them at first. */
export function serviceVariable(): QueryVariableBuilder {
  return labelVariable('service', SERVICES_QUERY)
    .label('Service')
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

/** `$step`: one step of the chosen services. */
export function stepVariable(): QueryVariableBuilder {
  return labelVariable('step', STEPS_QUERY).label('Step');
}

/** `$target`: an upper bound of a bucket, as Prometheus writes it; what lies between two bounds cannot be counted. */
export function targetVariable(): CustomVariableBuilder {
  const targetSeconds = THRESHOLD.targetMs / 1000;
  const choices = DURATION_BUCKET_BOUNDS_SECONDS.map((bound) => `${bound} s : ${prometheusBucketLabelOf(bound)}`);
  return new CustomVariableBuilder('target')
    .label('Target')
    .values(choices.join(', '))
    .allowCustomValue(false)
    .current({ selected: true, text: `${targetSeconds} s`, value: prometheusBucketLabelOf(targetSeconds) });
}

function labelVariable(name: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .datasource(CHOSEN_PROMETHEUS)
    .query({ qryType: 1, query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

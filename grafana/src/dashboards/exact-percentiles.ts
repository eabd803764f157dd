import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { CHOSEN_CLICKHOUSE } from '../data-source.ts';
import { shadedCurvePanel } from '../panels/curve-panel.ts';
import { describePanel } from '../panels/describe-panel.ts';
import { CHOSEN_STEP_SQL, sqlQuery, STEPS_SQL } from '../queries/exact-durations.ts';
import { clickHouseStepVariable, clickHouseVariable } from '../variables.ts';
import { buildDashboard, DASHBOARD_UID } from './dashboard.ts';

const COLUMNS = ['Step', 'Outcome', 'Duration', 'Timestamp'];
const NOT_COUNTED = 'runs that did not complete, and those of 60 s and more, as in `convotel percentiles`.';

/** Percentiles of the spans themselves, without buckets. */
export function exactPercentilesDashboard(): Dashboard {
  return buildDashboard({
    uid: DASHBOARD_UID.exactPercentiles,
    title: 'Exact percentiles',
    description: 'How long steps take, worked out from every span in ClickHouse: what `convotel percentiles` answers.',
    variables: [clickHouseVariable(), clickHouseStepVariable()],
    sections: [
      { heading: 'All steps', panels: [allSteps()] },
      { heading: '$step', panels: [chosenStep()] },
    ],
  });
}

function allSteps(): PanelBuilder {
  return describePanel(
    new PanelBuilder().overrideByName('runs', [{ id: 'unit', value: 'short' }]),
    {
      title: 'Percentiles of steps',
      shows: 'Exact percentiles of the duration of completed runs, over the time range; the largest p95 first.',
      metrics: COLUMNS,
      datasource: CHOSEN_CLICKHOUSE,
      notCounted: NOT_COUNTED,
      unit: 's',
      width: 24,
      height: 10,
    },
    [sqlQuery('table', STEPS_SQL)],
  );
}

function chosenStep() {
  return shadedCurvePanel(
    {
      title: 'Percentiles over time',
      shows: 'Time that 50, 90, 95 and 99 % of completed runs stayed within, exactly, in each interval.',
      metrics: COLUMNS,
      datasource: CHOSEN_CLICKHOUSE,
      notCounted: NOT_COUNTED,
      unit: 's',
      width: 24,
      height: 10,
    },
    [sqlQuery('timeseries', CHOSEN_STEP_SQL)],
  );
}

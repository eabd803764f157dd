import { describe, expect, test } from '@jest/globals';
import {
  clickHouseDashboardFiles,
  dashboardFiles,
  formatDashboard,
} from '../../grafana/src/dashboards/dashboard-files.ts';
import { dashboardNames, dashboardText, readClickHouseDashboards } from './dashboards.ts';

describe('the committed dashboards', () => {
  test('are all that the source generates, and nothing else', () => {
    expect(dashboardNames()).toEqual([...dashboardFiles().keys()].toSorted());
  });

  test('beside the data source ClickHouse are those that ask it', () => {
    const generated = [...clickHouseDashboardFiles()].map(([name, dashboard]) => [name, formatDashboard(dashboard)]);
    expect(readClickHouseDashboards().map(([name, text]) => [name, `${JSON.stringify(text, null, 2)}\n`])).toEqual(
      generated,
    );
  });

  test.each([...dashboardFiles()])('%s is what `npm run dashboards` writes', (name, dashboard) => {
    expect(dashboardText(name)).toBe(formatDashboard(dashboard));
  });
});

import { describe, expect, test } from '@jest/globals';
import { dashboardFiles, formatDashboard } from '../../grafana/src/dashboards/dashboard-files.ts';
import { dashboardNames, dashboardText } from './dashboards.ts';

describe('the committed dashboards', () => {
  test('are all that the source generates, and nothing else', () => {
    expect(dashboardNames()).toEqual([...dashboardFiles().keys()].toSorted());
  });

  test.each([...dashboardFiles()])('%s is what `npm run dashboards` writes', (name, dashboard) => {
    expect(dashboardText(name)).toBe(formatDashboard(dashboard));
  });
});

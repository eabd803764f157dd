import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { conversationsDashboard } from './conversations.ts';
import { exactPercentilesDashboard } from './exact-percentiles.ts';
import { stepDetailDashboard } from './step-detail.ts';
import { telemetryHealthDashboard } from './telemetry-health.ts';

/** Every dashboard that asks Prometheus, by the name of its file. */
export function dashboardFiles(): ReadonlyMap<string, Dashboard> {
  return new Map([
    ['conversations.json', conversationsDashboard()],
    ['step-detail.json', stepDetailDashboard()],
    ['telemetry-health.json', telemetryHealthDashboard()],
  ]);
}

/** Those that ask ClickHouse, which is there with a profile of the compose file only. */
export function clickHouseDashboardFiles(): ReadonlyMap<string, Dashboard> {
  return new Map([['exact-percentiles.json', exactPercentilesDashboard()]]);
}

/** The text of a dashboard's file. */
export function formatDashboard(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

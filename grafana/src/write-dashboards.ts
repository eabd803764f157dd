import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { clickHouseDashboardFiles, dashboardFiles, formatDashboard } from './dashboards/dashboard-files.ts';

// `npm run dashboards`: writes what Grafana is provisioned with.
for (const [folderName, files] of [
  ['dashboards', dashboardFiles()],
  ['clickhouse', clickHouseDashboardFiles()],
] as const) {
  const folder = new URL(`../${folderName}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, dashboard] of files) {
    writeFileSync(new URL(name, folder), formatDashboard(dashboard));
    console.log(fileURLToPath(new URL(name, folder)));
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardFiles, formatDashboard } from './dashboards/dashboard-files.ts';

// `npm run dashboards`: writes what Grafana is provisioned with.
const folder = new URL('../dashboards/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, dashboard] of dashboardFiles()) {
  writeFileSync(new URL(name, folder), formatDashboard(dashboard));
  console.log(fileURLToPath(new URL(name, folder)));
}

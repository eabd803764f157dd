import { readdirSync, readFileSync } from 'node:fs';

/** A query of a panel, as Grafana keeps it. */
export interface Query {
  refId: string;
  expr: string;
  /** Instead of `expr`, where ClickHouse is asked. */
  rawSql?: string;
  datasource: { type: string; uid: string };
  instant: boolean;
  range: boolean;
  exemplar?: boolean;
  format?: string;
  legendFormat?: string;
}

/** A panel in classic dashboard JSON. */
export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: {
    defaults: { unit?: string; noValue?: string; mappings?: { type: string; options: { match?: string } }[] };
    overrides: { matcher: { options: string }; properties: { id: string; value: unknown }[] }[];
  };
  options?: { yAxis?: { unit?: string } };
  targets?: Query[];
}

/** A variable in classic dashboard JSON. */
export interface Variable {
  name: string;
  type: string;
  label?: string;
  query: string | { query: string };
  datasource?: { type: string; uid: string };
  refresh?: number;
  current?: { value: unknown };
}

/** A dashboard in classic JSON. */
export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  schemaVersion: number;
  editable: boolean;
  templating: { list: Variable[] };
  panels: Panel[];
}

const FOLDER = new URL('../../grafana/dashboards/', import.meta.url);

/** Names of the committed files. */
export function dashboardNames(): string[] {
  return readdirSync(FOLDER).toSorted();
}

/** Text of a committed file. */
export function dashboardText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** Every committed dashboard, with the name of its file. */
export function readDashboards(): [name: string, dashboard: Dashboard][] {
  return dashboardNames().map((name) => [name, JSON.parse(dashboardText(name)) as Dashboard]);
}

/** The committed dashboards that ask ClickHouse. */
export function readClickHouseDashboards(): [name: string, dashboard: Dashboard][] {
  const folder = new URL('../../grafana/clickhouse/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Dashboard]);
}

/** Panels with data: all but the headings. */
export function dataPanels(dashboard: Dashboard): Panel[] {
  return dashboard.panels.filter(({ type }) => type !== 'row');
}

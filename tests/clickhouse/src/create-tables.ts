import { readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';

const OURS = new URL('../../../collector-config/clickhouse/otel-traces.sql', import.meta.url);
const EXPORTERS = new URL('../exporter-traces.sql', import.meta.url);

/** Runs the statements that make our table, as operators do. */
export async function createSchema(client: ClickHouseClient): Promise<void> {
  await runStatements(client, await readFile(OURS, 'utf8'));
}

/** Our own table, `otel_traces` in `database`, without a TTL: the conversations of the tests are older. */
export async function createOwnTable(client: ClickHouseClient, database: string): Promise<void> {
  const ddl = await readFile(OURS, 'utf8');
  await runStatements(client, inDatabase(ddl.replaceAll(/^TTL .*\n/gm, ''), database));
}

/** The table that the exporter of the collector makes. */
export async function createExporterTable(client: ClickHouseClient, database: string): Promise<void> {
  await runStatements(client, inDatabase(await readFile(EXPORTERS, 'utf8'), database));
}

function inDatabase(ddl: string, database: string): string {
  return ddl.replaceAll(/\botel\b(?=[.;])/g, database);
}

/** The statements of a file: each ends with a semicolon at the end of a line. */
export function statementsOf(ddl: string): string[] {
  return ddl.split(/;\s*$/m).filter((statement) => statement.trim() !== '');
}

async function runStatements(client: ClickHouseClient, ddl: string): Promise<void> {
  for (const query of statementsOf(ddl)) await client.command({ query });
}

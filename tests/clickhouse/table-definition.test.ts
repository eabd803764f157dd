import { readFile } from 'node:fs/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clickHouseTableDefinition, openClickHouseSource } from '@convotel/query';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { createExporterTable, createOwnTable, statementsOf } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

let engine: RunningEngine;
let client: ClickHouseClient;

beforeAll(async () => {
  engine = await startEngine();
  client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
});

afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

async function rowsOf<Row>(query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
  return (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();
}

test.each([
  ['otel-traces.sql', []],
  ['otel-traces-cluster.sql', ['--cluster', '{cluster}']],
] as const)('collector-config/clickhouse/%s is what the command prints', async (file, words) => {
  const { status, stdout } = await runConvotel(['clickhouse', 'ddl', ...words]);
  expect(status).toBe(0);
  expect(await readFile(new URL(`../../collector-config/clickhouse/${file}`, import.meta.url), 'utf8')).toBe(stdout);
});

test('what is printed makes a table in which spans are kept for as long as was said', async () => {
  const ddl = clickHouseTableDefinition({ database: 'kept', keepDays: 90 });
  for (const query of statementsOf(ddl)) await client.command({ query });
  const tables = await rowsOf<{ name: string; create_table_query: string }>(
    "SELECT name, create_table_query FROM system.tables WHERE database = 'kept' ORDER BY name",
  );
  expect(tables.map(({ name }) => name)).toEqual([
    'otel_traces',
    'otel_traces_trace_id_ts',
    'otel_traces_trace_id_ts_mv',
  ]);
  for (const { create_table_query: text } of tables.slice(0, 2)) expect(text).toContain('toIntervalDay(90)');
});

test('of a cluster, each statement is SQL, on every server; tables are replicated, and conversations on one shard', async () => {
  const statements = statementsOf(clickHouseTableDefinition({ cluster: 'main' }));
  for (const statement of statements) {
    const [row] = await rowsOf<{ text: string }>('SELECT formatQuery({statement:String}) AS text', { statement });
    expect(row!.text).toMatch(/ON CLUSTER main/);
  }
  const definitions = statements.join('\n');
  expect(definitions.match(/ENGINE = Replicated\w*MergeTree\(/g)).toHaveLength(2);
  expect(definitions.match(/ENGINE = (\w+)/g)).not.toContain('ENGINE = MergeTree');
  expect(definitions).toContain("Distributed('main', otel, otel_traces_local, cityHash64(TraceId))");
  expect(definitions).toMatch(/TO otel\.otel_traces_trace_id_ts_local AS\s+SELECT[^;]*FROM otel\.otel_traces_local/);
});

test.each([[['--cluster', "a' b"]], [['--database', 'a;b']], [['--days', '0']]])(
  'refuses %j before anything is printed',
  async (words) => {
    const { status, stdout, stderr } = await runConvotel(['clickhouse', 'ddl', ...words]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/cluster|database|--days/);
  },
);

test('doctor says which table it is, and how to make the faster one', async () => {
  await createOwnTable(client, 'checked_ours');
  await createExporterTable(client, 'checked_exporter');
  for (const [database, notices] of [
    ['checked_ours', []],
    ['checked_exporter', [expect.stringContaining("is the table that the collector's exporter makes")]],
  ] as const) {
    const address = `${engine.url.replace('http:', 'clickhouse:')}/${database}`;
    const { stdout } = await runConvotel(['doctor', '--from', address, '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { text: string; advice?: string }[] };
    const [first, ...others] = checks.filter(({ text }) => text.includes(address));
    expect(first!.text).toBe(`Commands read the ClickHouse at ${address}, which answers.`);
    expect(others.map(({ text }) => text)).toEqual(notices);
    for (const { advice } of others) expect(advice).toContain('`convotel clickhouse ddl`');
  }
});

test.each([
  ['ours', createOwnTable, undefined, []],
  ['the exporter’s', createExporterTable, undefined, [/is the table that the collector's exporter makes/]],
  ['an older one of ours', createOwnTable, 'DROP COLUMN Timings', [/is an older table of convotel, without Timings/]],
  ['ours in an engine that keeps copies', createOwnTable, 'MergeTree', [/its engine, MergeTree, keeps copies/]],
] as const)('says once, where answers take longer, which table it is: %s', async (name, create, change, expected) => {
  const database = `kind_${name.replaceAll(/\W/g, '')}`;
  await create(client, database);
  if (change === 'MergeTree') {
    const [row] = await rowsOf<{ text: string }>(
      "SELECT create_table_query AS text FROM system.tables WHERE database = {database:String} AND name = 'otel_traces'",
      { database },
    );
    await client.command({ query: `DROP TABLE ${database}.otel_traces` });
    await client.command({ query: row!.text.replace('ReplacingMergeTree(Version)', 'MergeTree') });
  } else if (change !== undefined) await client.command({ query: `ALTER TABLE ${database}.otel_traces ${change}` });
  const notices: string[] = [];
  const address = `${engine.url.replace('http:', 'clickhouse:')}/${database}`;
  const source = await openClickHouseSource(address, { onNotice: (text) => notices.push(text) });
  const window = { sinceUnixNano: 0n, untilUnixNano: 10n ** 18n };
  for (const _ of [1, 2]) expect((await source.ask({ name: 'step-statistics', window })).data).toEqual([]);
  await source.close();
  expect(notices).toEqual(expected.map((text) => expect.stringMatching(text)));
});

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openClickHouseSource } from '@convotel/query';
import type { ConversationSource } from '@convotel/query';
import { stepSpan } from '@convotel/suite';
import { dataPanels, readClickHouseDashboards } from '../grafana/dashboards.ts';
import { exporterRows } from './exporter-rows.ts';
import { createOwnTable } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const READER = { username: 'convotel', password: 'r3ad' };
const FROM_MS = Date.UTC(2025, 9, 8, 12);
const TO_MS = FROM_MS + 3_600_000;
const INTERVAL_S = 1200;
const CHOSEN = "it's a step";
const PROBABILITIES = [0.5, 0.9, 0.95, 0.99];
const [[, dashboard]] = readClickHouseDashboards() as [ReturnType<typeof readClickHouseDashboards>[number]];

let engine: RunningEngine;
let client: ClickHouseClient;
let source: ConversationSource;

/** Steps of two names; every eighth failed, one lasted for more than a minute, each delivered twice. */
beforeAll(async () => {
  engine = await startEngine({ users: { default: {}, [READER.username]: { ...READER, readonly: 2 } } });
  const writer = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
  await createOwnTable(writer, 'otel');
  const spans = Array.from({ length: 240 }, (_, index) =>
    stepSpan(index % 3 === 0 ? CHOSEN : 'gpt', {
      id: `c${index}`,
      // The first lies before the range, the last at its end, which is not part of it.
      start: new Date(FROM_MS - 1 + Math.round((index * 3_600_001) / 239)).toISOString(),
      ms: index === 60 ? 70_000 : 100 + ((index * 7919) % 1009),
      ...(index % 8 === 0 && { outcome: 'failed' as const }),
    }),
  );
  for (let copy = 0; copy < 2; copy++) {
    await writer.insert({ table: 'otel.otel_traces', values: exporterRows(spans), format: 'JSONEachRow' });
  }
  await writer.close();
  client = createClient({ url: engine.url, ...READER, database: 'otel', log: { level: ClickHouseLogLevel.OFF } });
  source = await openClickHouseSource(`${engine.url.replace('http:', 'clickhouse:')}/otel`, READER);
});

afterAll(async () => {
  await source?.close();
  await client?.close();
  await engine?.stop();
});

/** The rows of a panel, with what Grafana's plugin puts for its macros, by its documentation. */
async function rowsOf(title: string): Promise<Record<string, number | string>[]> {
  return ask(dataPanels(dashboard).find((panel) => panel.title === title)!.targets![0]!.rawSql!);
}

async function ask(sql: string): Promise<Record<string, number | string>[]> {
  const query = sql
    .replaceAll('$__fromTime_ms', `fromUnixTimestamp64Milli(${FROM_MS})`)
    .replaceAll('$__toTime_ms', `fromUnixTimestamp64Milli(${TO_MS})`)
    .replaceAll(/\$__timeInterval\((\w+)\)/g, `toStartOfInterval(toDateTime($1), INTERVAL ${INTERVAL_S} second)`)
    .replaceAll('${step:sqlstring}', `'${CHOSEN.replaceAll("'", "''")}'`);
  expect(query).not.toContain('$');
  const answer = await client.query({ query, format: 'JSONEachRow' });
  return answer.json();
}

async function statisticsOf(step: string, sinceMs = FROM_MS, untilMs = TO_MS): Promise<number[]> {
  const window = { sinceUnixNano: BigInt(sinceMs) * 1_000_000n, untilUnixNano: BigInt(untilMs) * 1_000_000n };
  const { data } = await source.ask({ name: 'step-statistics', window, step, quantiles: PROBABILITIES });
  return data[0]!.quantilesMs;
}

function percentilesOf(row: Record<string, number | string>): number[] {
  return ['p50', 'p90', 'p95', 'p99'].map((name) => Number(row[name]) * 1000);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of actual.entries()) expect(value).toBeCloseTo(expected[index]!, 5);
}

test('shows the percentiles that the command answers, step by step', async () => {
  const rows = await rowsOf('Percentiles of steps');
  expect(rows.map(({ step }) => String(step)).toSorted()).toEqual(['gpt', CHOSEN]);
  for (const row of rows) expectClose(percentilesOf(row), await statisticsOf(String(row['step'])));
  const shown = rows.map(({ p95 }) => Number(p95));
  expect(shown).toEqual(shown.toSorted((a, b) => b - a));
});

test('shows them over time for the chosen step', async () => {
  const rows = await rowsOf('Percentiles over time');
  expect(rows).toHaveLength(3);
  for (const [index, row] of rows.entries()) {
    const since = FROM_MS + index * INTERVAL_S * 1000;
    expectClose(percentilesOf(row), await statisticsOf(CHOSEN, since, since + INTERVAL_S * 1000));
  }
});

test('offers the steps of the range', async () => {
  const { query } = dashboard.templating.list.find(({ name }) => name === 'step')!;
  const rows = await ask(query as string);
  expect(rows.map((row) => String(row['Step'])).toSorted()).toEqual(['gpt', CHOSEN]);
});

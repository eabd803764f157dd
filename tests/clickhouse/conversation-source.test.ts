import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll } from '@jest/globals';
import { openClickHouseSource } from '@convotel/query';
import type { ConversationSource, SpanRecord } from '@convotel/query';
import { describeConversationSource } from '@convotel/suite';
import { createExporterTable, createOwnTable } from './src/create-tables.ts';
import { exporterRows } from './exporter-rows.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

/** ClickHouse's hours end in 2106, so no conversation of the suite is later. */
const YEARS = { dataSetCount: 28, lastYear: 2104 };

/** Conversations of the suite last for days, where ids were used again. */
const REACH_SECONDS = 40 * 86_400;

let engine: RunningEngine;
let client: ClickHouseClient;
let databases = 0;

beforeAll(async () => {
  engine = await startEngine();
  client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
});

afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

async function open(
  createTable: (client: ClickHouseClient, database: string) => Promise<void>,
  spans: SpanRecord[],
): Promise<ConversationSource> {
  databases += 1;
  const database = `suite_${databases}`;
  await createTable(client, database);
  const rows = exporterRows(spans);
  // In two inserts, so that copies are in one part and in two.
  const half = Math.ceil(rows.length / 2);
  for (const values of [rows.slice(0, half), rows.slice(half)]) {
    if (values.length === 0) continue;
    const settings = { max_partitions_per_insert_block: '0' };
    await client.insert({
      table: `${database}.otel_traces`,
      values,
      format: 'JSONEachRow',
      clickhouse_settings: settings,
    });
  }
  return openClickHouseSource(`${engine.url.replace('http:', 'clickhouse:')}/${database}`, {
    reachSeconds: REACH_SECONDS,
  });
}

describeConversationSource('ClickHouse, our table', (spans) => open(createOwnTable, spans), YEARS);
// One data set of each theme: every question reads the whole table.
const ONE_OF_EACH = { ...YEARS, dataSetCount: 28, rounds: 1 };
describeConversationSource(
  "ClickHouse, the exporter's table",
  (spans) => open(createExporterTable, spans),
  ONE_OF_EACH,
);

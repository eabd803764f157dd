import { fileURLToPath } from 'node:url';
import { createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startStack } from '../stack/src/start-stack.ts';
import type { Stack } from '../stack/src/start-stack.ts';
import { planConversations } from '../stack/src/traffic/plan-conversations.ts';
import { sendPlan } from '../stack/src/traffic/run-program.ts';
import { waitUntil } from '../stack/src/wait-until.ts';
import { spansOfPlan } from '../stack/truth/spans-of-plan.ts';
import { createSchema } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const CONFIG = fileURLToPath(new URL('../../collector-config/', import.meta.url));
const SERVICE = 'voice-bot';
// Younger than the table's TTL, which would take them away at insert.
const plan = { prefix: 'clickhouse', seed: 21, count: 500, firstStartUnixMs: Date.now() - 14_400_000 };
const truth = spansOfPlan(planConversations(plan), SERVICE);

let engine: RunningEngine | undefined;
let stack: Stack | undefined;
let reader: ClickHouseClient | undefined;

afterEach(async () => {
  await reader?.close();
  await stack?.stop();
  await engine?.stop();
});

async function start({ createsSchema }: { createsSchema: boolean }): Promise<void> {
  engine = await startEngine({ users: { otel_writer: { password: 's3cret' } } });
  reader = createClient({ url: engine.url, username: 'otel_writer', password: 's3cret' });
  if (!createsSchema) await createSchema(reader);
  stack = await startStack({
    programs: ['jaeger', 'collector'],
    overlays: [`${CONFIG}clickhouse.yaml`],
    environment: {
      CLICKHOUSE_ENDPOINT: engine.url,
      CLICKHOUSE_WRITER_PASSWORD: 's3cret',
      CLICKHOUSE_CREATE_SCHEMA: String(createsSchema),
    },
  });
}

async function count(query: string): Promise<number> {
  const answer = await reader!.query({ query, format: 'JSONEachRow' });
  const [row] = await answer.json<{ n: number | string }>();
  return Number(row!.n);
}

describe.each([false, true])(
  'the collector writes every span, the exporter making its own table: %s',
  (createsSchema) => {
    test('once, also when the engine goes away in the middle', async () => {
      await start({ createsSchema });
      const sending = sendPlan({ endpoint: stack!.otlpUrl, serviceName: SERVICE, plan, pauseMs: 300 });
      await waitUntil('the first spans', async () => (await count('SELECT count() AS n FROM otel.otel_traces')) > 0);
      await engine!.kill();
      await engine!.restart();
      await sending;
      const distinct = 'SELECT uniqExact(TraceId, SpanId) AS n FROM otel.otel_traces';
      await waitUntil('every span', async () => (await count(distinct)) === truth.length, { timeoutMs: 60_000 });
      if (!createsSchema) expect(await count('SELECT count() AS n FROM otel.otel_traces FINAL')).toBe(truth.length);
    });
  },
);

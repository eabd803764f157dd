import { fileURLToPath } from 'node:url';
import { createClient } from '@clickhouse/client';
import { openClickHouseSource } from '@convotel/query';
import type { ConversationSource, Report } from '@convotel/query';
import { NaiveSource } from '@convotel/suite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { startStack } from '../stack/src/start-stack.ts';
import type { Stack } from '../stack/src/start-stack.ts';
import { planConversations } from '../stack/src/traffic/plan-conversations.ts';
import { sendPlan } from '../stack/src/traffic/run-program.ts';
import { waitUntil } from '../stack/src/wait-until.ts';
import { callsAbout } from '../stack/truth/commands.ts';
import { differencesOfAnswers } from '../stack/truth/compare-answers.ts';
import { spansOfPlan } from '../stack/truth/spans-of-plan.ts';
import { createSchema } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const CONFIG = fileURLToPath(new URL('../../collector-config/', import.meta.url));
const SERVICE = 'voice-bot';
const HOUR_MS = 3_600_000;
const firstStartUnixMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
const planOptions = { prefix: 'clickhouse', seed: 20_261_126, count: 2000, firstStartUnixMs };
const plan = planConversations(planOptions);
const truth = spansOfPlan(plan, SERVICE);
const window = {
  sinceUnixNano: BigInt(firstStartUnixMs) * 1_000_000n,
  untilUnixNano: BigInt(plan.at(-1)!.startUnixMs + HOUR_MS) * 1_000_000n,
};
// Steps that start at once stand in the order of their ids, which the plan does not know.
const ordered = plan.filter(({ steps }) => new Set(steps.map(({ startUnixMs }) => startUnixMs)).size === steps.length);
const chosen = (['completed', 'failed', 'timed_out', 'interrupted', 'open'] as const).map(
  (outcome) => ordered.find((planned) => planned.outcome === outcome)!.conversationId,
);
const calls = callsAbout(window, chosen, ['request', 'gpt', 'tts']);
const WRITER = { username: 'otel_writer', password: 's3cret' };
const READER = { username: 'convotel', password: 'r3ad' };

describe.each([false, true])('2,000 conversations, the exporter making its own table: %s', (createsSchema) => {
  let engine: RunningEngine;
  let stack: Stack;
  let source: ConversationSource;
  let address: string;

  beforeAll(async () => {
    engine = await startEngine({
      users: {
        [WRITER.username]: { password: WRITER.password },
        [READER.username]: { password: READER.password, readonly: 2 },
      },
    });
    address = `${engine.url.replace('http:', 'clickhouse:')}/otel`;
    const writer = createClient({ url: engine.url, ...WRITER });
    if (!createsSchema) await createSchema(writer);
    stack = await startStack({
      programs: ['jaeger', 'collector'],
      overlays: [`${CONFIG}clickhouse.yaml`],
      environment: {
        CLICKHOUSE_ENDPOINT: engine.url,
        CLICKHOUSE_WRITER_PASSWORD: WRITER.password,
        CLICKHOUSE_CREATE_SCHEMA: String(createsSchema),
      },
    });
    const distinct = async (): Promise<number> => {
      const query = 'SELECT uniqExact(TraceId, SpanId, Timestamp) AS n FROM otel.otel_traces';
      const [row] = await (await writer.query({ query, format: 'JSONEachRow' })).json<{ n: number | string }>();
      return Number(row!.n);
    };
    const sending = sendPlan({ endpoint: stack.otlpUrl, serviceName: SERVICE, plan: planOptions, pauseMs: 300 });
    await waitUntil('the first spans', async () => (await distinct()) > 0);
    await stack.kill('collector');
    await stack.restart('collector');
    expect((await sending).map(({ undeliveredSpans }) => undeliveredSpans)).toEqual([0]);
    await waitUntil('every span', async () => (await distinct()) === truth.length, { timeoutMs: 90_000 });
    await writer.close();
    source = await openClickHouseSource(address, READER);
  }, 300_000);

  afterAll(async () => {
    await source?.close();
    await stack?.stop();
    await engine?.stop();
  });

  test.each(calls.map((call) => [call.words.slice(0, 2).join(' '), call] as const))('%s', async (_, { words, ask }) => {
    const expected = await ask(new NaiveSource(truth));
    expect(differencesOfAnswers(await ask(source), expected)).toEqual([]);
    const { status, stdout, stderr } = await runConvotel([...words, '--from', address, '--json'], {
      environment: {
        CONVOTEL_CLICKHOUSE_USER: READER.username,
        CONVOTEL_CLICKHOUSE_PASSWORD: READER.password,
      },
    });
    expect({ status, stderr: stderr.replace(address, 'ADDRESS') }).toEqual({
      status: 0,
      stderr: createsSchema
        ? expect.stringMatching(/^convotel: ADDRESS is the table that the collector's exporter makes/)
        : '',
    });
    expect(differencesOfAnswers(JSON.parse(stdout) as Report<string, unknown>, expected)).toEqual([]);
  });
});

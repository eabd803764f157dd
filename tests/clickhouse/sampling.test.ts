import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openClickHouseSource, ServeSource } from '@convotel/query';
import type { ConversationSource, Report, Window } from '@convotel/query';
import { bareEnvironment, BIN, runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { insertConversations } from './src/bench-data.ts';
import { createExporterTable, createOwnTable } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const CONVERSATIONS = 14_000;
const ONE_IN = 10;
const UNTIL_MS = Date.UTC(2025, 9, 15);
const window: Window = {
  sinceUnixNano: BigInt(UNTIL_MS - 14 * 86_400_000) * 1_000_000n,
  untilUnixNano: BigInt(UNTIL_MS + 86_400_000) * 1_000_000n,
};
const PROBABILITIES = [0.1, 0.5, 0.9, 0.95, 0.99];

let engine: RunningEngine;
let client: ClickHouseClient;

beforeAll(async () => {
  engine = await startEngine();
  client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
  for (const [database, createTable] of [
    ['ours', createOwnTable],
    ['exporter', createExporterTable],
  ] as const) {
    await createTable(client, database);
    await insertConversations(client, database, { conversations: CONVERSATIONS, untilMs: UNTIL_MS });
  }
}, 240_000);

afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

function addressOf(database: string, sample?: number): string {
  const address = `${engine.url.replace('http:', 'clickhouse:')}/${database}`;
  return sample === undefined ? address : `${address}?sample=${sample}`;
}

describe.each(['ours', 'exporter'])('one conversation in ten of the table %s', (database) => {
  let whole: ConversationSource;
  let sampled: ConversationSource;

  beforeAll(async () => {
    whole = await openClickHouseSource(addressOf(database));
    sampled = await openClickHouseSource(addressOf(database, ONE_IN));
  });

  afterAll(async () => {
    await whole?.close();
    await sampled?.close();
  });

  test.each(['gpt', 'tts'])('percentiles of %s are as near to the exact ones as the warning says', async (step) => {
    const { data, coverage } = await sampled.ask({ name: 'step-statistics', window, step, quantiles: PROBABILITIES });
    const rank = 1.36 / Math.sqrt(coverage.conversations);
    const bounds = PROBABILITIES.flatMap((each) => [Math.max(each - rank, 0), Math.min(each + rank, 1)]);
    const exact = await whole.ask({ name: 'step-statistics', window, step, quantiles: bounds });
    for (const [index, estimate] of data[0]!.quantilesMs.entries()) {
      expect(estimate).toBeGreaterThanOrEqual(exact.data[0]!.quantilesMs[2 * index]!);
      expect(estimate).toBeLessThanOrEqual(exact.data[0]!.quantilesMs[2 * index + 1]!);
    }
    expect(data[0]!.quantilesMs).not.toEqual(
      (await whole.ask({ name: 'step-statistics', window, step, quantiles: PROBABILITIES })).data[0]!.quantilesMs,
    );
  });

  test('is exact about the conversations that it holds, which are near a tenth', async () => {
    const asked = { name: 'step-durations', window } as const;
    const { data: all } = await whole.ask(asked);
    const { data: some } = await sampled.ask(asked);
    const chosen = all.traceIds.filter((traceId) => Number.parseInt(traceId.slice(0, 8), 16) < 2 ** 32 / ONE_IN);
    expect(some.traceIds).toEqual(chosen);
    expect(Math.abs(chosen.length / (CONVERSATIONS / ONE_IN) - 1)).toBeLessThan(0.1);
    const durations = new Map(all.traceIds.map((traceId, row) => [traceId, all.durationMs[row]]));
    expect([...some.durationMs]).toEqual(chosen.map((traceId) => durations.get(traceId)));
  });
});

describe('one conversation in ten', () => {
  let whole: ConversationSource;
  let sampled: ConversationSource;

  beforeAll(async () => {
    whole = await openClickHouseSource(addressOf('ours'));
    sampled = await openClickHouseSource(addressOf('ours', ONE_IN));
  });

  afterAll(async () => {
    await whole?.close();
    await sampled?.close();
  });

  test.each([
    { name: 'step-statistics', window },
    { name: 'response-statistics', window },
    { name: 'conversation-counts', window, by: 'hour', timeZone: 'UTC' },
    { name: 'conversations', window, order: 'longest', limit: 5 },
    { name: 'conversations', window, order: 'slowest-response', limit: 5 },
    { name: 'conversations', order: 'newest', limit: 5 },
    { name: 'common-errors', window, limit: 5 },
    { name: 'attribute-values', window, attribute: 'gen_ai.request.model', limit: 5 },
    { name: 'step-statistics', window, filters: { outcome: 'failed' } },
  ] as const)('$name says that it is an estimate', async (question) => {
    const [estimate, exact] = [await sampled.ask(question as never), await whole.ask(question as never)];
    expect(estimate.coverage.complete).toBe(false);
    expect(estimate.coverage.warnings).toEqual([
      ...exact.coverage.warnings,
      { code: 'approximate', text: expect.stringContaining('1 conversation in 10 was read') },
    ]);
    expect(exact.coverage.complete).toBe(true);
    expect(JSON.stringify(estimate.data, readable)).not.toBe(JSON.stringify(exact.data, readable));
  });

  test('one conversation is read whole, and says nothing of estimates, whether it is among them or not', async () => {
    const { data } = await whole.ask({ name: 'conversations', window, order: 'newest', limit: 12 });
    for (const { conversationId } of data) {
      const question = { name: 'conversation', conversationId } as const;
      expect(await sampled.ask(question)).toEqual(await whole.ask(question));
    }
  });
});

test('the command says that it printed an estimate, in text and in JSON', async () => {
  const words = ['percentiles', 'gpt', '--from', addressOf('ours', ONE_IN), '--since', '2025-10-01', '--tz', 'UTC'];
  const { status, stderr } = await runConvotel(words);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^Note: An estimate: 1 conversation in 10 was read/)]);
  const { stdout } = await runConvotel([...words, '--json']);
  const { coverage } = JSON.parse(stdout) as Report<string, unknown>;
  expect(coverage.complete).toBe(false);
  expect(coverage.warnings.map(({ code }) => code)).toEqual(['approximate']);
});

test('the page answers what ClickHouse does, and that it is an estimate', async () => {
  const words = ['ui', '--port', '0', '--from', addressOf('ours', ONE_IN)];
  const page = spawn(process.execPath, [BIN, ...words], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [firstLine] = (await once(createInterface({ input: page.stdout }), 'line')) as [string];
    const asked = new ServeSource(/http:\S+/.exec(firstLine)![0]);
    const sampled = await openClickHouseSource(addressOf('ours', ONE_IN));
    // Without the averages of timings, whose last digit depends on the order in which threads add up.
    const question = { name: 'step-statistics', window, quantiles: PROBABILITIES, timings: false } as const;
    const answer = await asked.ask(question);
    expect(answer).toEqual(await sampled.ask(question));
    expect(answer.coverage.warnings.map(({ code }) => code)).toEqual(['approximate']);
    await asked.close();
    await sampled.close();
  } finally {
    page.kill('SIGTERM');
  }
  expect(await once(page, 'exit')).toEqual([0, null]);
});

test.each(['0', '1', '1.5', '-3', 'x', '1000001', ''])('refuses to read one conversation in "%s"', async (sample) => {
  await expect(openClickHouseSource(`clickhouse://127.0.0.1:1/otel?sample=${sample}`)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('is not a whole number from 2 to 1000000'),
  });
});

function readable(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

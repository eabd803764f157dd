import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openClickHouseSource } from '@convotel/query';
import type { ClickHouseProgress, Window } from '@convotel/query';
import { stepSpan } from '@convotel/suite';
import { waitUntil } from '../stack/src/wait-until.ts';
import { exporterRows } from './exporter-rows.ts';
import { createOwnTable } from './src/create-tables.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const CONVOTEL = fileURLToPath(new URL('../../packages/cli/bin/convotel.js', import.meta.url));
const READER = { username: 'reader', password: 'r3ad' };
const DAYS = 40;
const SPANS_PER_DAY = 250;
const FIRST_DAY_MS = Date.UTC(2025, 5, 1);
const window: Window = {
  sinceUnixNano: BigInt(FIRST_DAY_MS) * 1_000_000n,
  untilUnixNano: BigInt(FIRST_DAY_MS + DAYS * 86_400_000) * 1_000_000n,
};

let engine: RunningEngine;
let client: ClickHouseClient;
let address: string;

/** A table of which every look at an outcome takes ten milliseconds, so that a question takes minutes. */
beforeAll(async () => {
  const { username, password } = READER;
  const settings = { max_execution_time: '50', max_memory_usage: '3000000000' };
  engine = await startEngine({
    users: { default: {}, [username]: { password, readonly: 2 }, modest: { password, readonly: 2, settings } },
  });
  address = `${engine.url.replace('http:', 'clickhouse:')}/slow`;
  client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
  await createOwnTable(client, 'slow');
  const slow = "ADD COLUMN Outcome String ALIAS if(sleepEachRow(0.01) = 0, 'completed', 'failed')";
  await client.command({ query: `ALTER TABLE slow.otel_traces DROP COLUMN Outcome, ${slow}` });
  const spans = Array.from({ length: DAYS * SPANS_PER_DAY }, (_, index) =>
    stepSpan('stt', {
      id: `c${index}`,
      start: new Date(FIRST_DAY_MS + Math.floor(index / SPANS_PER_DAY) * 86_400_000 + index).toISOString(),
      ms: 50,
    }),
  );
  await client.insert({ table: 'slow.otel_traces', values: exporterRows(spans), format: 'JSONEachRow' });
});

afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

interface RunningQuery {
  query_id: string;
  elapsed: number;
  limits: string[];
}

/** What the server is at work on for convotel. */
async function runningQueries(): Promise<RunningQuery[]> {
  const answer = await client.query({
    query: `SELECT query_id, elapsed, arrayMap(name -> Settings[name], ['max_execution_time', 'max_memory_usage', 'readonly']) AS limits
      FROM system.processes WHERE startsWith(query_id, 'convotel-') AND query NOT LIKE '%processes%'`,
    format: 'JSONEachRow',
  });
  return answer.json<RunningQuery>();
}

/**
 * The first query that has been under way for half a second. A source first asks what its tables are like, and those
 * queries are gone before a second look, so that the limits are those of the look that found it.
 */
async function longQuery(): Promise<RunningQuery> {
  return waitUntil('a long query', async () => (await runningQueries()).find((query) => query.elapsed > 0.5), {
    timeoutMs: 60_000,
  });
}

async function untilIdle(): Promise<void> {
  await waitUntil('the server to be idle', async () => (await runningQueries()).length === 0, { timeoutMs: 30_000 });
}

describe('a query that runs long', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('ends on the server when its command gets %s', async (signal) => {
    const words = ['averages', '--from', address, '--since', '2025-06-01', '--until', '2025-07-01'];
    const child = spawn(process.execPath, [CONVOTEL, ...words], {
      stdio: 'ignore',
      env: {
        ...process.env,
        CONVOTEL_CLICKHOUSE_USER: READER.username,
        CONVOTEL_CLICKHOUSE_PASSWORD: READER.password,
      },
    });
    const ended = once(child, 'exit');
    expect((await longQuery()).limits).toEqual(['60', '4294967296', '2']);
    child.kill(signal);
    expect((await ended)[0]).toBe(130);
    await untilIdle();
  });

  test('ends on the server when its command is killed', async () => {
    const child = spawn(process.execPath, [CONVOTEL, 'averages', '--from', address, '--since', '2025-06-01'], {
      stdio: 'ignore',
    });
    await longQuery();
    child.kill('SIGKILL');
    await untilIdle();
  });

  test('ends on the server when its source is closed, and tells until then how far it is', async () => {
    const told: ClickHouseProgress[] = [];
    const onProgress = (progress: ClickHouseProgress): void => void told.push(progress);
    const source = await openClickHouseSource(address, { ...READER, onProgress });
    const asking = source.ask({ name: 'step-statistics', window }).catch((error: unknown) => error);
    await waitUntil('two reports', () => Promise.resolve(told.length > 1), { timeoutMs: 60_000 });
    await source.close();
    expect(await asking).toBeInstanceOf(Error);
    await untilIdle();
    expect(told.at(-1)!.readRows).toBeGreaterThan(0);
    expect(told.at(-1)!.readRows).toBeLessThanOrEqual(told.at(-1)!.totalRows);
    expect(told.at(-1)!.totalRows).toBeLessThanOrEqual(DAYS * SPANS_PER_DAY);
  });

  test('has the limits of the user, where the profile says some', async () => {
    const source = await openClickHouseSource(address, { username: 'modest', password: READER.password });
    const asking = source.ask({ name: 'step-statistics', window }).catch((error: unknown) => error);
    expect((await longQuery()).limits).toEqual(['50', '3000000000', '2']);
    await source.close();
    await asking;
    await untilIdle();
  });

  test('is stopped by its limit of time, which the message names', async () => {
    const source = await openClickHouseSource(address, { ...READER, maxExecutionSeconds: 1 });
    await expect(source.ask({ name: 'step-statistics', window })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/longer than 1 seconds?, and was stopped/),
    });
    await source.close();
    await untilIdle();
  });
});

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { conversation } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import { execa } from 'execa';
import got from 'got';
import knex from 'knex';
import type { Knex } from 'knex';
import { startModelServer, TEXT } from '../../../../bench/src/model-server.ts';
import type { ModelServer } from '../../../../bench/src/model-server.ts';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { waitUntil } from '../support/wait-until.ts';

const GAP_MS = 20;
const recorder = recordSpans();
let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer(GAP_MS);
});
afterAll(() => server.stop());
beforeEach(() => recorder.forget());

async function outcomeAfter(use: (c: Conversation) => Promise<unknown>): Promise<unknown> {
  await conversation(use);
  await waitUntil(() => recorder.named('gpt').length > 0, 'the span of the step');
  return recorder.attributesOf('gpt')['conversation.outcome'];
}
const durationMs = (): number => msOf(recorder.only('gpt').duration);

describe('a promise of got', () => {
  const ask =
    (behaviour = 'completes') =>
    () =>
      got(`${server.url}/text`, { headers: { 'x-behaviour': behaviour }, retry: { limit: 0 } });

  test.each<[string, (promise: ReturnType<ReturnType<typeof ask>>) => Promise<unknown>]>([
    ['await', async (promise) => (await promise).body],
    ['text', (promise) => promise.text()],
    ['buffer', async (promise) => String(await promise.buffer())],
    ['catch', async (promise) => ((await promise.catch(() => {})) as { body: string }).body],
    ['finally', async (promise) => (await promise.finally(() => {})).body],
    [
      'on and then',
      async (promise) => {
        void promise.on('response', () => {});
        return promise.then(({ body }) => body);
      },
    ],
    ['text.then twice', async (promise) => (await Promise.all([promise.text(), promise.text()]))[0]],
  ])('used by %s', async (_door, use) => {
    expect(await outcomeAfter(async (c) => expect(await use(c.step('gpt', ask()))).toBe(TEXT))).toBe('completed');
    expect(durationMs()).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });

  test('that fails, and that is never asked', async () => {
    expect(await outcomeAfter((c) => c.step('gpt', ask('fails')).catch(() => {}))).toBe('failed');
    recorder.forget();
    expect(
      await outcomeAfter((c) =>
        c
          .step('gpt', ask('fails'))
          .text()
          .catch(() => {}),
      ),
    ).toBe('failed');
    recorder.forget();
    expect(await outcomeAfter(async (c) => void c.step('gpt', ask()))).toBe('interrupted');
  });

  test('as a stream', async () => {
    const outcome = await outcomeAfter(async (c) => {
      const stream = c.step('gpt', () => got.stream(`${server.url}/text`, { headers: { 'x-behaviour': 'completes' } }));
      expect(Buffer.concat(await stream.toArray()).toString()).toBe(TEXT);
    });
    expect(outcome).toBe('completed');
    expect(durationMs()).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });
});

describe('a subprocess of execa', () => {
  const speak = () =>
    execa(process.execPath, ['-e', 'setTimeout(() => console.log("one\\ntwo"), 30)'], { env: { NODE_OPTIONS: '' } });

  test.each<[string, (subprocess: ReturnType<typeof speak>) => Promise<unknown>]>([
    ['await', async (subprocess) => (await subprocess).stdout],
    ['catch', async (subprocess) => ((await subprocess.catch(() => {})) as { stdout: string }).stdout],
    [
      'for await',
      async (subprocess) => {
        const lines: string[] = [];
        for await (const line of subprocess) lines.push(line as string);
        return lines.join('\n');
      },
    ],
    ['pipe', async (subprocess) => (await subprocess.pipe('cat')).stdout],
  ])('used by %s', async (_door, use) => {
    const outcome = await outcomeAfter(async (c) => {
      const subprocess = c.step('gpt', speak);
      expect(subprocess.pid).toBeGreaterThan(0);
      expect(subprocess.stdout?.readable).toBe(true);
      expect(await use(subprocess)).toBe('one\ntwo');
    });
    expect(outcome).toBe('completed');
    // Node alone takes longer to start.
    expect(durationMs()).toBeGreaterThanOrEqual(10);
  });

  test('that fails', async () => {
    expect(
      await outcomeAfter((c) =>
        c.step('gpt', () => execa(process.execPath, ['-e', 'process.exit(3)'])).catch(() => {}),
      ),
    ).toBe('failed');
  });
});

describe('a query of knex', () => {
  /** Answers each query after a while with what it was asked, as a driver of a database would. */
  let queries: string[] = [];
  const EchoClient = class extends (createRequire(import.meta.url)('knex') as typeof knex).Client {};
  Object.assign(EchoClient.prototype, {
    driverName: 'echo',
    _driver: () => ({}),
    acquireRawConnection: async () => ({}),
    destroyRawConnection: async () => {},
    processResponse: (query: { response: unknown }) => query.response,
    async _query(_connection: unknown, query: { sql: string; response?: unknown }) {
      queries.push(query.sql);
      stopwatch.start();
      await sleep(30);
      stopwatch.lap();
      if (query.sql.includes('missing')) throw new Error('no such table');
      query.response = [{ sql: query.sql }];
      return query;
    },
  });
  let db: Knex;
  beforeAll(() => {
    db = knex({ client: EchoClient, connection: {}, pool: { min: 0, max: 2 } });
  });
  beforeEach(() => {
    queries = [];
  });
  afterAll(() => db.destroy());

  test('asks nothing while it is built, and runs once when it is asked', async () => {
    const outcome = await outcomeAfter(async (c) => {
      const query = c.step('gpt', () => db('memories'));
      expect(query.where({ user: 1 }).orderBy('time').limit(3)).toBe(query);
      expect(query.toSQL().sql).toContain('order by');
      await sleep(20);
      expect(queries).toEqual([]);
      expect(await query).toEqual([{ sql: queries[0] }]);
    });
    expect(outcome).toBe('completed');
    expect(queries).toHaveLength(1);
    expect(durationMs()).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test.each<[string, (query: Knex.QueryBuilder) => Promise<unknown>]>([
    ['then', async (query) => query.then((rows: unknown) => rows)],
    ['catch', async (query) => query.catch(() => {})],
    ['finally', async (query) => query.finally(() => {})],
    ['clone', async (query) => query.clone().where({ a: 1 })],
    [
      'asCallback',
      (query) =>
        new Promise((resolve) => {
          void query.asCallback((_error: unknown, rows: unknown) => resolve(rows));
        }),
    ],
    ['first', async (query) => query.first()],
  ])('used by %s', async (_door, use) => {
    expect(await outcomeAfter(async (c) => expect(await use(c.step('gpt', () => db('memories')))).toBeTruthy())).toBe(
      'completed',
    );
    expect(queries).toHaveLength(1);
    expect(durationMs()).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test('in a transaction, raw, and of a schema', async () => {
    const expectWhole = (): void => {
      expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('completed');
      expect(durationMs()).toBeGreaterThanOrEqual(stopwatch.workedMs);
      recorder.forget();
    };
    await conversation(async (c) => {
      await db.transaction(async (transaction) => {
        await c.step('gpt', () => transaction('memories').insert({ a: 1 }));
        expectWhole();
      });
      await c.step('gpt', () => db.raw('select 1'));
      expectWhole();
      await c.step('gpt', () => db.schema.raw('create table x'));
      expectWhole();
    });
  });

  test('that fails, and that is never asked', async () => {
    expect(
      await outcomeAfter((c) =>
        c
          .step('gpt', () => db('missing'))
          .then(() => {})
          .catch(() => {}),
      ),
    ).toBe('failed');
    recorder.forget();
    expect(await outcomeAfter(async (c) => void c.step('gpt', () => db('memories')))).toBe('interrupted');
    expect(queries).toHaveLength(1);
  });
});

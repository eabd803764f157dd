import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import type { SpanRecord } from '@convotel/query';
import { DuckDbSource } from '../../src/source/duckdb-source.ts';
import { Database } from '../../src/store/database.ts';
import { rangesOf } from '../../src/store/look-ups.ts';
import { migrate, MIGRATIONS } from '../../src/store/migrations.ts';
import { SpanStore } from '../../src/store/span-store.ts';
import { Upkeep } from '../../src/store/upkeep.ts';

const OPTIONS = { memoryLimitBytes: 128 * 2 ** 20 };
const START_NS = 1_780_000_000_000_000_000n;
const SECOND_NS = 1_000_000_000n;
/** More than a row group, without which nothing is looked up, and many slices of 2^14. */
const SPANS = 135_000;

let folder: string;
const stores: SpanStore[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-look-ups-'));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function openStore(path: string): Promise<SpanStore> {
  const store = await SpanStore.open(path, OPTIONS);
  stores.push(store);
  return store;
}

const sourceOf = (store: SpanStore): DuckDbSource =>
  new DuckDbSource(store.path, { lend: (use) => store.read(use), close: async () => undefined });

/** A step of one millisecond that starts `second` seconds after the first one; every second one arrives. */
function step(second: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  const name = JSON.stringify([second, fields.conversationId, fields.traceId]);
  const digest = createHash('sha256').update(name).digest('hex');
  return {
    traceId: digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    name: 'gpt',
    step: 'gpt',
    role: 'step',
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
    startTimeUnixNano: START_NS + BigInt(second) * SECOND_NS,
    durationNano: 1_000_000n,
    ...fields,
  };
}

const ofConversation = (conversationId: string, second: number, fields: Partial<SpanRecord> = {}): SpanRecord =>
  step(second, { traceId: traceIdOf(conversationId), conversationId, ...fields });

/** By the place at which each arrives: spans of the same conversation and session, far from each other. */
const SCATTERED: readonly (readonly [place: number, span: SpanRecord])[] = [
  [100, ofConversation('long', 100)],
  [30_000, ofConversation('long', 30_000)],
  [59_900, ofConversation('long', 59_900)],
  // A day late.
  [59_950, ofConversation('long', 50)],
  [10, ofConversation('first of session', 10, { sessionId: 'call' })],
  [45_000, ofConversation('second of session', 45_000, { sessionId: 'call' })],
  [20_000, step(20_000, { traceId: '1'.repeat(32), conversationId: 'foreign' })],
  [55_000, step(55_000, { traceId: '2'.repeat(32), conversationId: 'foreign' })],
];

const SPANS_IN_ORDER: readonly SpanRecord[] = (() => {
  const spans = Array.from({ length: SPANS }, (_, second) => step(second));
  for (const [place, span] of SCATTERED) spans[place] = span;
  return spans;
})();

async function fill(store: SpanStore, spans = SPANS_IN_ORDER): Promise<void> {
  for (let from = 0; from < SPANS; from += 4_000) await store.append(spans.slice(from, from + 4_000));
}

const windowOf = (since: number, until: number): { sinceUnixNano: bigint; untilUnixNano: bigint } => ({
  sinceUnixNano: START_NS + BigInt(since) * SECOND_NS,
  untilUnixNano: START_NS + BigInt(until) * SECOND_NS,
});

/** What is scattered, as questions find it that look up where to read. */
async function findScattered(store: SpanStore): Promise<unknown> {
  const source = sourceOf(store);
  const long = await source.ask({ name: 'conversation', conversationId: 'long' });
  const foreign = await source.ask({ name: 'conversation', conversationId: 'foreign' });
  const called = await source.ask({ name: 'conversations', order: 'newest', limit: 10, filters: { session: 'call' } });
  const newest = await source.ask({ name: 'conversations', order: 'newest', limit: 3 });
  const within = await source.ask({ name: 'step-durations', window: windowOf(59_899, 59_902) });
  const counts = { name: 'conversation-counts', by: 'hour', timeZone: 'UTC' } as const;
  const started = await source.ask({ ...counts, window: windowOf(59_899, 59_902) });
  const steps = await source.ask({ name: 'step-statistics', window: windowOf(59_899, 59_902) });
  const none = await source.ask({ name: 'conversation', conversationId: 'nobody' });
  return {
    long: long.data.spans.map(({ startTimeUnixNano }) => Number((startTimeUnixNano - START_NS) / SECOND_NS)),
    foreign: [foreign.data.spans.map(({ traceId }) => traceId), foreign.data.otherTraceIds],
    called: called.data.map(({ conversationId }) => conversationId),
    newest: newest.data.map(({ startTimeUnixNano }) => Number((startTimeUnixNano - START_NS) / SECOND_NS)),
    // All of its spans, wherever they start.
    within: [...within.data.steps[0]!.completedMs].toSorted((a, b) => a - b),
    startsWithin: [...within.data.startsInWindow].toSorted((a, b) => a - b),
    started: started.data.map(({ conversations }) => conversations),
    stepsWithin: steps.data.map(({ total }) => total),
    none: none.data.spans,
  };
}

const FOUND = {
  long: [50, 100, 30_000, 59_900],
  foreign: [['2'.repeat(32)], ['1'.repeat(32)]],
  called: ['second of session', 'first of session'],
  newest: [134_999, 134_998, 134_997],
  within: [1, 1, 4],
  startsWithin: [0, 1, 1],
  started: [2],
  stepsWithin: [3],
  none: [],
};

test('spans of a conversation and of a session are found wherever they arrived', async () => {
  const path = join(folder, 'scattered.duckdb');
  const store = await openStore(path);
  await fill(store);
  expect(await findScattered(store)).toEqual(FOUND);

  await store.rewrite();
  expect(await findScattered(store)).toEqual(FOUND);

  await store.close();
  const again = await openStore(path);
  expect(await findScattered(again)).toEqual(FOUND);

  // One more span, and a later copy of another one.
  await again.append([
    ofConversation('long', 40),
    { ...SCATTERED[0]![1], durationNano: 2_000_000n },
    ofConversation('third of session', 5, { sessionId: 'call' }),
  ]);
  const more = {
    ...FOUND,
    long: [40, ...FOUND.long],
    within: [1, 1, 6],
    called: [...FOUND.called, 'third of session'],
  };
  expect(await findScattered(again)).toEqual(more);
  await again.forgetTraces(['2'.repeat(32), traceIdOf('first of session')]);
  const fewer = { ...more, foreign: [['1'.repeat(32)], []], called: ['second of session', 'third of session'] };
  expect(await findScattered(again)).toEqual(fewer);
});

test('the order of steps in a window is that of the conversations that start in it', async () => {
  const store = await openStore(join(folder, 'ordered.duckdb'));
  const spans = [...SPANS_IN_ORDER];
  const put = (conversationId: string, second: number, name: string): void => {
    spans[second] = ofConversation(conversationId, second, { name, step: name });
  };
  // Three that began long before have their steps in the window the other way round than the one that starts in it.
  ['first', 'second', 'third'].forEach((conversationId, index) => {
    put(conversationId, 200 + index, 'gpt');
    put(conversationId, 60_000 + 2 * index, 'tts');
    put(conversationId, 60_001 + 2 * index, 'stt');
  });
  put('fourth', 60_006, 'stt');
  put('fourth', 60_007, 'tts');
  await fill(store, spans);
  for (const until of [60_010, SPANS]) {
    const { data } = await sourceOf(store).ask({ name: 'step-statistics', window: windowOf(59_990, until) });
    expect(data.map((each) => each.step)).toEqual(['gpt', 'stt', 'tts']);
  }
});

test('a span that comes after the newest ones were deleted is found', async () => {
  const path = join(folder, 'newest-deleted.duckdb');
  const store = await openStore(path);
  await fill(store);
  await store.change((connection) => connection.run('DELETE FROM spans WHERE arrival > 130000'));
  await store.close();
  const again = await openStore(path);
  await again.append([ofConversation('late', 140_000, { sessionId: 'late call' })]);
  const source = sourceOf(again);
  expect((await source.ask({ name: 'conversation', conversationId: 'late' })).data.spans).toHaveLength(1);
  const filters = { session: 'late call' };
  const { data } = await source.ask({ name: 'conversations', order: 'newest', limit: 10, filters });
  expect(data).toHaveLength(1);
});

test('what is deleted by age is gone, and what stays is found', async () => {
  const store = await openStore(join(folder, 'aged.duckdb'));
  await fill(store);
  const nowMs = Number(START_NS / 1_000_000n) + 40_000_000;
  const retention = { maxAgeDays: 30_000 / 86_400, maxBytes: 2 ** 40 };
  const upkeep = await Upkeep.open(store, {
    retention,
    intervalMs: 60_000,
    onNotice: () => undefined,
    now: () => nowMs,
  });
  // A tenth of what there is in each run, after it was announced.
  for (let run = 0; run < 4; run++) await upkeep.run();
  expect(upkeep.counts.spansDeleted).toBeGreaterThan(5_000);
  const kept = { ...FOUND, called: ['second of session'] };
  expect(await findScattered(store)).toEqual(kept);
  await store.checkpoint();
  expect(await findScattered(store)).toEqual(kept);
  await store.rewrite();
  expect(await findScattered(store)).toEqual(kept);
});

test('a store of a version without look-ups answers as before, and has them after the first upkeep', async () => {
  const path = join(folder, 'older.duckdb');
  const store = await openStore(path);
  await fill(store);
  await store.close();
  const older = join(folder, 'of-version-4.duckdb');
  const database = await Database.open(older, { isReadOnly: false, ...OPTIONS });
  await database.lend(async (connection) => {
    await migrate(connection, older, MIGRATIONS.slice(0, 4));
    await connection.run(`ATTACH '${path}' AS newer (READ_ONLY)`);
    await connection.run('INSERT INTO spans BY NAME SELECT * EXCLUDE (arrival) FROM newer.spans ORDER BY arrival');
    for (const table of ['steps', 'resources']) await connection.run(`INSERT INTO ${table} FROM newer.${table}`);
    await connection.run('DETACH newer');
  });
  await database.close();

  const migrated = await openStore(older);
  const lookedUpUntil = (): Promise<unknown> =>
    migrated.read(async (connection) =>
      (await connection.runAndReadAll('SELECT looked_up_until FROM upkeep')).getRows(),
    );
  expect(await lookedUpUntil()).toEqual([[null]]);
  expect(await findScattered(migrated)).toEqual(FOUND);
  await migrated.append([ofConversation('long', 40)]);
  const more = { ...FOUND, long: [40, ...FOUND.long], within: [1, 1, 5] };
  expect(await findScattered(migrated)).toEqual(more);

  const retention = { maxAgeDays: Infinity, maxBytes: 2 ** 40 };
  const upkeep = await Upkeep.open(migrated, { retention, intervalMs: 60_000, onNotice: () => undefined });
  await upkeep.run();
  expect(upkeep.counts.rewrites).toBe(1);
  expect(await lookedUpUntil()).toEqual([[SPANS + 1]]);
  expect(await findScattered(migrated)).toEqual(more);
  await upkeep.run();
  expect(upkeep.counts.rewrites).toBe(1);
});

test('ranges cover all slices, at most four of them, and what has not been looked up', () => {
  const slices = [1, 2, 3, 10, 30, 31, 60, 100, 101];
  const inSlices = (until: number, ...some: number[]): number[][] =>
    rangesOf(some, until * 2 ** 14).map(({ first, last }) => [first / 2 ** 14, (last + 1) / 2 ** 14]);
  const end = 2 ** 18;
  expect(inSlices(200, ...slices)).toEqual([
    [1, 11],
    [30, 32],
    [60, 61],
    [100, 102],
    [200, end],
  ]);
  expect(inSlices(102, 1, 101)).toEqual([
    [1, 2],
    [101, end],
  ]);
  expect(inSlices(3)).toEqual([[3, end]]);
  expect(inSlices(0)).toEqual([[0, end]]);
});

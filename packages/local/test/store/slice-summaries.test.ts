import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { MemorySource } from '@convotel/query';
import type { AnyQuestion, SpanRecord, Window } from '@convotel/query';
import { differencesBetween, seededRandom, seedOfRun } from '@convotel/suite';
import { DuckDbSource } from '../../src/source/duckdb-source.ts';
import { Database } from '../../src/store/database.ts';
import { migrate, MIGRATIONS } from '../../src/store/migrations.ts';
import { SpanStore } from '../../src/store/span-store.ts';

const OPTIONS = { memoryLimitBytes: 128 * 2 ** 20 };
const START_NS = 1_780_000_000_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const SPANS_PER_SLICE = 2 ** 14;
/** Five whole slices, four of which are summed up together, and some more. */
const SPANS = 5 * SPANS_PER_SLICE + 2_000;
const seed = seedOfRun();

let folder: string;
const stores: SpanStore[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-summaries-'));
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

/**
 * A span arrives each second. Conversations take up to a minute, so that many lie on both sides of the end of a slice; one
 * in a thousand spans belongs to one that began long before.
 */
const SPANS_IN_ORDER: readonly SpanRecord[] = (() => {
  const random = seededRandom(seed);
  return Array.from({ length: SPANS }, (_, second): SpanRecord => {
    const isLate = random.chance(0.001);
    const conversation = Math.floor((isLate ? random.whole(0, second) : second + random.whole(0, 10)) / 10);
    const shared = {
      traceId: `a${conversation.toString(16).padStart(31, '0')}`,
      spanId: (second + 1).toString(16).padStart(16, '0'),
      // Some arrive minutes after they started.
      startTimeUnixNano:
        START_NS + BigInt(random.chance(0.01) ? Math.max(0, second - random.whole(1, 300)) : second) * SECOND_NS,
      durationNano: random.chance(0.01) ? 60_000_000_000n : BigInt(random.whole(1, 5_000_000_000)),
      outcome: random.chance(0.1) ? random.pick(['failed', 'timed_out', 'interrupted'] as const) : 'completed',
      isRecovered: false,
      depth: random.chance(0.2) ? 1 : 0,
      ...(random.chance(0.3) && { responseLatencySeconds: random.whole(1, 100) / 10 }),
    } as const;
    if (random.chance(0.1)) return { ...shared, name: 'POST', role: 'other' };
    const conversationId = `c${conversation}`;
    if (random.chance(0.2)) return { ...shared, name: 'conversation', conversationId, role: 'root' };
    const step = random.pick(['stt', 'gpt', 'tts']);
    return {
      ...shared,
      name: step,
      step,
      conversationId,
      role: 'step',
      ...(step === 'tts' && { timingsSeconds: { [random.pick(['queue', 'network'])]: random.whole(1, 100) / 10 } }),
      ...(shared.outcome !== 'completed' && {
        errorType: random.pick(['Timeout', 'RateLimit']),
        errorMessage: `${random.pick(['slow', 'refused'])} after ${random.whole(1, 50)} ms`,
      }),
    };
  });
})();

const windowOf = (since: number, until: number): Window => ({
  sinceUnixNano: START_NS + BigInt(Math.floor(since)) * SECOND_NS,
  untilUnixNano: START_NS + BigInt(Math.floor(until)) * SECOND_NS,
});

/** Of everything, and one that begins within a slice. */
const WINDOWS = [windowOf(0, SPANS), windowOf(SPANS_PER_SLICE * 0.6, SPANS)];

async function fill(store: SpanStore, spans = SPANS_IN_ORDER): Promise<void> {
  for (let from = 0; from < spans.length; from += 5_000) await store.append(spans.slice(from, from + 5_000));
}

/** How many slices are summed up. */
async function summedSlices(store: SpanStore): Promise<number> {
  const sql = 'SELECT count(*) FROM slice_summaries';
  return store.read(async (connection) => Number((await connection.runAndReadAll(sql)).getRows()[0]![0]));
}

/** Expects of the store what the spans themselves say. */
async function expectAnswers(store: SpanStore, spans: readonly SpanRecord[]): Promise<void> {
  const source = new DuckDbSource(store.path, { lend: (use) => store.read(use), close: async () => undefined });
  const memory = new MemorySource(spans);
  for (const window of WINDOWS) {
    const statistics = { name: 'step-statistics', window } as const;
    const list = { name: 'conversations', window, limit: 20 } as const;
    const questions: readonly AnyQuestion[] = [
      statistics,
      { name: 'common-errors', window, limit: 20 },
      { ...statistics, groupBy: { attribute: 'conversation.outcome', values: ['failed'] } },
      { name: 'conversation-counts', window, by: 'hour', timeZone: 'UTC' },
      { ...list, order: 'slowest' },
      { ...list, order: 'slowest-response' },
      { name: 'response-statistics', window, quantiles: [0.5, 0.95] },
      { name: 'response-statistics', window, quantiles: [0.5, 0.95], quantileIntervals: true, coverage: false },
    ];
    for (const question of questions) {
      const differences = differencesBetween(await source.ask(question), await memory.ask(question));
      expect({ seed, question, differences }).toEqual({ seed, question, differences: [] });
    }
  }
}

test('what whole slices held stands for their spans', async () => {
  const path = join(folder, 'filled.duckdb');
  const store = await openStore(path);
  await fill(store);
  expect(await summedSlices(store)).toBe(4);

  // One that is worse than its stored copy replaces it; it is stored behind all others.
  const worse = SPANS_IN_ORDER.findIndex(({ step, outcome }) => step !== undefined && outcome === 'completed');
  const longer = { ...SPANS_IN_ORDER[worse]!, durationNano: 70_000_000_000n };
  await store.append([longer]);
  const replaced = SPANS_IN_ORDER.with(worse, longer);
  await expectAnswers(store, replaced);

  await store.rewrite();
  expect(await summedSlices(store)).toBe(4);
  await expectAnswers(store, replaced);
  await store.close();
  const again = await openStore(path);
  const more = Array.from({ length: SPANS_PER_SLICE }, (_, index) => ({
    ...SPANS_IN_ORDER[index]!,
    spanId: `b${index.toString(16).padStart(15, '0')}`,
  }));
  await fill(again, more);
  expect(await summedSlices(again)).toBe(4);
  await expectAnswers(again, [...replaced, ...more]);
});

test('slices of which spans are deleted no longer stand for them', async () => {
  const store = await openStore(join(folder, 'deleted.duckdb'));
  await fill(store);
  let kept = SPANS_IN_ORDER;
  const keep = async (isKept: (span: SpanRecord) => boolean): Promise<void> => {
    const ids = kept.filter((span) => !isKept(span)).map(({ spanId }) => BigInt(`0x${spanId}`));
    kept = kept.filter(isKept);
    const sql = `DELETE FROM spans WHERE span_id IN (SELECT unnest([${ids.join(', ')}]))`;
    await store.change((connection) => connection.run(sql));
  };
  await keep(({ spanId }) => Number.parseInt(spanId, 16) > SPANS_PER_SLICE * 0.3);
  await expectAnswers(store, kept);
  await keep(({ spanId }) => Number.parseInt(spanId, 16) !== SPANS_PER_SLICE * 2.5);
  await expectAnswers(store, kept);
});

/** The tables of each version, besides those of the ones before. */
const TABLES = {
  5: ['spans', 'steps', 'resources', 'upkeep', 'trace_look_ups', 'text_look_ups'],
  6: ['slice_summaries', 'slice_conversations', 'slice_steps'],
} as const;

test.each([
  { version: 5, tables: TABLES[5] },
  { version: 6, tables: [...TABLES[5], ...TABLES[6]] },
])('a store of version $version gets its summaries as more spans arrive', async ({ version, tables }) => {
  const path = join(folder, `new-of-${version}.duckdb`);
  const store = await openStore(path);
  await fill(store);
  await store.close();
  const older = join(folder, `of-version-${version}.duckdb`);
  const database = await Database.open(older, { isReadOnly: false, ...OPTIONS });
  await database.lend(async (connection) => {
    await migrate(connection, older, MIGRATIONS.slice(0, version));
    await connection.run(`ATTACH '${path}' AS newer (READ_ONLY)`);
    await connection.run('DELETE FROM upkeep');
    for (const table of tables) {
      await connection.run(`INSERT INTO ${table} BY NAME SELECT * FROM newer.${table}`);
    }
    await connection.run('DETACH newer');
  });
  await database.close();
  const migrated = await openStore(older);
  expect(await summedSlices(migrated)).toBe(0);
  await expectAnswers(migrated, SPANS_IN_ORDER);
  const late = { ...SPANS_IN_ORDER[0]!, spanId: 'c'.repeat(16) };
  await migrated.append([late]);
  expect(await summedSlices(migrated)).toBe(4);
  await expectAnswers(migrated, [...SPANS_IN_ORDER, late]);
});

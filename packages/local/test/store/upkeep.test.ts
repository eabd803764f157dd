import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import type { SpanRecord } from '@convotel/query';
import { SpanStore } from '../../src/store/span-store.ts';
import { Upkeep } from '../../src/store/upkeep.ts';

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const NOW_MS = Date.UTC(2026, 5, 15, 12);
const UNLIMITED = { maxAgeDays: Infinity, maxBytes: 2 ** 40 };

let folder: string;
let storesMade = 0;
const stores: SpanStore[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-upkeep-'));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function openStore(path = join(folder, `${storesMade++}.duckdb`)): Promise<SpanStore> {
  const store = await SpanStore.open(path, { memoryLimitBytes: 128 * 2 ** 20 });
  stores.push(store);
  return store;
}

/** A step that started `ageMs` before {@link NOW_MS}. */
function step(ageMs: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'gpt',
    step: 'gpt',
    role: 'step',
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
    startTimeUnixNano: BigInt(NOW_MS - ageMs) * 1_000_000n,
    durationNano: 5n,
    ...fields,
  };
}

/** Clocks that a test moves. */
class Clock {
  nowMs = NOW_MS;
  elapsedMs = 0;

  /** Time passes, and the clock shows it. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.elapsedMs += ms;
  }
}

async function openUpkeep(
  store: SpanStore,
  retention: { maxAgeDays: number; maxBytes: number },
  clock = new Clock(),
): Promise<{ upkeep: Upkeep; notices: string[] }> {
  const notices: string[] = [];
  const upkeep = await Upkeep.open(store, {
    retention,
    intervalMs: 60_000,
    onNotice: (notice) => notices.push(notice),
    now: () => clock.nowMs,
    elapsed: () => clock.elapsedMs,
  });
  return { upkeep, notices };
}

const scalar = (store: SpanStore, sql: string): Promise<unknown> =>
  store.read(async (connection) => (await connection.runAndReadAll(sql)).getRows()[0]![0]);
const countSpans = async (store: SpanStore): Promise<number> =>
  Number(await scalar(store, 'SELECT count(*) FROM spans'));
const countTraces = async (store: SpanStore): Promise<number> =>
  Number(await scalar(store, 'SELECT count(DISTINCT trace_id) FROM spans'));

describe('age', () => {
  test('deletes conversations that ended too long ago, whole', async () => {
    const store = await openStore();
    const lasting = step(31 * MS_PER_DAY);
    const young = Array.from({ length: 10 }, () => step(MS_PER_HOUR));
    await store.append([
      step(31 * MS_PER_DAY),
      lasting,
      step(MS_PER_DAY, { traceId: lasting.traceId }),
      // It started long ago, and has not been over for long.
      step(31 * MS_PER_DAY, { durationNano: BigInt(2 * MS_PER_DAY) * 1_000_000n }),
      ...young,
    ]);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 32, maxBytes: 2 ** 40 });
    await upkeep.run();
    expect(await countSpans(store)).toBe(14);
    const shorter = await openUpkeep(store, { maxAgeDays: 30, maxBytes: 2 ** 40 });
    await shorter.upkeep.run();
    expect(await countSpans(store)).toBe(13);
    expect(shorter.upkeep.counts).toMatchObject({ conversationsDeletedByAge: 1, spansDeleted: 1 });
    expect(shorter.notices.join('\n')).toMatch(/deleted 1 conversation \(1 span\) .*ended more than 30 days ago/);
  });

  test('announces a mass deletion, and deletes a tenth in each run', async () => {
    const store = await openStore();
    await store.append(Array.from({ length: 200 }, (_, index) => step(10 * MS_PER_DAY + index)));
    await store.append([step(0)]);
    const { upkeep, notices } = await openUpkeep(store, { maxAgeDays: 5, maxBytes: 2 ** 40 });
    await upkeep.run();
    expect(await countSpans(store)).toBe(201);
    expect(notices).toEqual([expect.stringMatching(/200 of 201 conversations .*will be deleted, at most 10 %/)]);
    await upkeep.run();
    expect(await countSpans(store)).toBe(181);
    // The oldest went.
    expect(await scalar(store, 'SELECT min(start_ns) FROM spans')).toBe(
      BigInt(NOW_MS - 10 * MS_PER_DAY - 179) * 1_000_000n,
    );
    await upkeep.run();
    expect(await countSpans(store)).toBe(163);
  });

  test.each([
    ['a year ahead', 365 * MS_PER_DAY],
    ['two days ahead', 2 * MS_PER_DAY],
    ['in 1970', -NOW_MS],
  ])('a clock %s deletes nothing before it has lasted a day, over restarts too', async (_, jumpMs) => {
    const store = await openStore();
    await store.append(Array.from({ length: 50 }, (_unused, index) => step(index * MS_PER_HOUR)));
    const right = await openUpkeep(store, { maxAgeDays: 3, maxBytes: 2 ** 40 });
    await right.upkeep.run();
    const clock = new Clock();
    clock.nowMs += jumpMs;
    for (let round = 0; round < 3; round++) {
      const { upkeep, notices } = await openUpkeep(store, { maxAgeDays: 3, maxBytes: 2 ** 40 }, clock);
      for (let hour = 0; hour < 7; hour++) {
        await upkeep.run();
        clock.pass(MS_PER_HOUR);
      }
      expect(notices.filter((notice) => notice.includes('the clock says'))).toHaveLength(1);
      expect(await countSpans(store)).toBe(50);
    }
  });

  test('a clock that jumps again is watched anew', async () => {
    const store = await openStore();
    await store.append(Array.from({ length: 12 }, (_, index) => step(index * MS_PER_HOUR)));
    const clock = new Clock();
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 30, maxBytes: 2 ** 40 }, clock);
    await upkeep.run();
    for (const days of [10, 365, -200, 3_650]) {
      clock.nowMs += days * MS_PER_DAY;
      for (let hour = 0; hour < 23; hour++) {
        await upkeep.run();
        clock.pass(MS_PER_HOUR);
      }
    }
    expect(await countSpans(store)).toBe(12);
    expect(upkeep.tooOldBeforeNs).toBeLessThan(BigInt(NOW_MS) * 1_000_000n);
  });

  test('conversations that ended at one instant go a tenth at a time, too', async () => {
    const store = await openStore();
    await store.append([step(0), ...Array.from({ length: 100 }, () => step(10 * MS_PER_DAY))]);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 5, maxBytes: 2 ** 40 });
    await upkeep.run();
    for (const left of [91, 82, 74]) {
      await upkeep.run();
      expect(await countSpans(store)).toBe(left);
    }
    expect(upkeep.counts).toMatchObject({ conversationsDeletedByAge: 27, spansDeleted: 27 });
  });

  test('a clock that has been ahead for a day of running is believed', async () => {
    const store = await openStore();
    await store.append(Array.from({ length: 12 }, (_, index) => step(index * MS_PER_HOUR)));
    const clock = new Clock();
    clock.nowMs += 365 * MS_PER_DAY;
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 3, maxBytes: 2 ** 40 }, clock);
    for (let hour = 0; hour < 24; hour++) {
      await upkeep.run();
      clock.pass(MS_PER_HOUR);
      expect(await countSpans(store)).toBe(12);
    }
    for (let run = 0; run < 40 && (await countSpans(store)) > 0; run++) await upkeep.run();
    expect(await countSpans(store)).toBe(0);
  });

  test('a clock that was ahead and is right again keeps what came meanwhile in its place', async () => {
    const store = await openStore();
    const clock = new Clock();
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 3, maxBytes: 2 ** 40 }, clock);
    await upkeep.run();
    clock.nowMs += 365 * MS_PER_DAY;
    await upkeep.run();
    // Judged by the time that is believed, nothing of today is too old.
    expect(upkeep.tooOldBeforeNs).toBe(BigInt(NOW_MS - 3 * MS_PER_DAY) * 1_000_000n);
    clock.nowMs = NOW_MS;
    await upkeep.run();
    expect(upkeep.futureAfterNs).toBe(BigInt(NOW_MS + MS_PER_DAY) * 1_000_000n);
  });
});

describe('size', () => {
  /** Digits, two of which DuckDB stores in a byte. Whether it compresses random letters differs between rewrites. */
  const text = (bytes: number): string => randomBytes(bytes).toString('hex');
  /** Conversations over the last ten hours, the oldest first. */
  const conversations = (count: number, bytes: number): SpanRecord[] =>
    Array.from({ length: count }, (_, index) =>
      step(((count - index) * 10 * MS_PER_HOUR) / count, { outputText: text(bytes) }),
    );

  test.each([
    ['few large spans', 6_000, 2_000],
    ['many small spans', 150_000, 120],
  ])('a store a tenth above the limit loses about that tenth, once: %s', async (_, count, bytes) => {
    const store = await openStore();
    const spans = conversations(count, bytes);
    for (let from = 0; from < count; from += 4_000) await store.append(spans.slice(from, from + 4_000));
    await store.checkpoint();
    const maxBytes = Math.round((await store.usedBytes()) / 1.1);
    const { upkeep, notices } = await openUpkeep(store, { maxAgeDays: Infinity, maxBytes });
    await upkeep.run();
    const left = await countSpans(store);
    const shareDue = 1 - 1 / 1.1;
    expect((count - left) / count / shareDue).toBeGreaterThan(0.9);
    expect((count - left) / count / shareDue).toBeLessThan(1.5);
    expect(await store.fileBytes()).toBeLessThan(maxBytes * 1.1);
    // The oldest went.
    expect(await scalar(store, 'SELECT min(start_ns) FROM spans')).toBe(spans[count - left]!.startTimeUnixNano);
    for (let run = 0; run < 3; run++) await upkeep.run();
    expect(await countSpans(store)).toBe(left);
    expect(upkeep.counts).toMatchObject({ conversationsDeletedBySize: count - left, spansDeleted: count - left });
    expect(notices.filter((notice) => notice.startsWith('deleted'))).toHaveLength(1);
  });

  test('what goes is judged by the space that it takes, not by its length', async () => {
    const store = await openStore();
    const repetition = 'as always. '.repeat(350);
    const spans = conversations(12_000, 1_900).map((span, index) =>
      index < 6_000 ? span : { ...span, outputText: `${index}, ${repetition}` },
    );
    for (let from = 0; from < spans.length; from += 2_000) await store.append(spans.slice(from, from + 2_000));
    await store.checkpoint();
    const usedBytes = await store.usedBytes();
    const maxBytes = Math.round(usedBytes / 1.15);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: Infinity, maxBytes });
    await upkeep.run();
    const deletedBytes = upkeep.counts.spansDeleted * 2_000;
    expect(deletedBytes / (usedBytes - maxBytes)).toBeGreaterThan(0.9);
    expect(deletedBytes / (usedBytes - maxBytes)).toBeLessThan(1.4);
    expect((await store.usedBytes()) / maxBytes).toBeGreaterThan(0.93);
  });

  const one = randomBytes(16).toString('hex');
  test.each<[string, (index: number) => Partial<SpanRecord>]>([
    ['all of them', () => ({ startTimeUnixNano: BigInt(NOW_MS) * 1_000_000n })],
    [
      'each in its last of two spans',
      (index) => ({
        traceId: (BigInt(index >> 1) + 1n).toString(16).padStart(32, '0'),
        startTimeUnixNano: BigInt(NOW_MS - (index % 2) * MS_PER_HOUR) * 1_000_000n,
      }),
    ],
    [
      'the spans of one large conversation',
      () => ({
        traceId: one,
        startTimeUnixNano: BigInt(NOW_MS) * 1_000_000n,
      }),
    ],
  ])('of conversations that end at one instant no more go than are due: %s', async (_, fields) => {
    const store = await openStore();
    const spans = conversations(6_000, 2_000).map((span, index) => ({ ...span, ...fields(index) }));
    for (let from = 0; from < spans.length; from += 2_000) await store.append(spans.slice(from, from + 2_000));
    await store.checkpoint();
    const maxBytes = Math.round((await store.usedBytes()) / 1.25);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: Infinity, maxBytes });
    const traces = await countTraces(store);
    await upkeep.run();
    const left = await countSpans(store);
    expect(left / spans.length).toBeGreaterThan(0.7);
    expect(left / spans.length).toBeLessThan(0.82);
    const { conversationsDeletedBySize, conversationsShortened, spansDeleted } = upkeep.counts;
    expect(spansDeleted).toBe(spans.length - left);
    expect(conversationsDeletedBySize).toBe(traces - (await countTraces(store)));
    expect(conversationsShortened).toBe(traces === 1 ? 1 : 0);
    // Whole conversations went, not halves of many.
    if (traces === 3_000) expect(left).toBe(2 * (await countTraces(store)));
    await upkeep.run();
    expect(await countSpans(store)).toBe(left);
  });

  test('a conversation larger than the limit loses its own beginning, and little goes beside it', async () => {
    const store = await openStore();
    const long = randomBytes(16).toString('hex');
    const spans = conversations(20_000, 400).map((span, index) =>
      index % 10 === 0 ? span : { ...span, traceId: long },
    );
    for (let from = 0; from < spans.length; from += 4_000) await store.append(spans.slice(from, from + 4_000));
    await store.checkpoint();
    const maxBytes = Math.round((await store.usedBytes()) * 0.8);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: Infinity, maxBytes });
    await upkeep.run();
    const others = (await countTraces(store)) - 1;
    expect(others / 2_000).toBeGreaterThan(0.7);
    expect(others / 2_000).toBeLessThan(0.85);
    expect(upkeep.counts.conversationsShortened).toBeGreaterThan(0);
    expect(upkeep.counts.conversationsDeletedBySize).toBe(2_000 - others);
    // The newest of each is there.
    expect(await scalar(store, 'SELECT max(start_ns) FROM spans')).toBe(spans.at(-1)!.startTimeUnixNano);
  });

  test('a conversation that is still going on goes after those that ended before', async () => {
    const store = await openStore();
    const traceId = randomBytes(16).toString('hex');
    const spans = conversations(5_000, 1_000);
    for (let index = 0; index < spans.length; index += 100) spans[index] = { ...spans[index]!, traceId };
    for (let from = 0; from < spans.length; from += 1_000) await store.append(spans.slice(from, from + 1_000));
    await store.checkpoint();
    const { upkeep } = await openUpkeep(store, {
      maxAgeDays: Infinity,
      maxBytes: Math.round((await store.usedBytes()) / 2),
    });
    await upkeep.run();
    expect(await scalar(store, `SELECT count(*) FROM spans WHERE trace_id = ${BigInt(`0x${traceId}`)}`)).toBe(50n);
  });

  test('what was deleted is forgotten, and may come again', async () => {
    const store = await openStore();
    const spans = conversations(6_000, 500);
    await store.append(spans.slice(0, 4_000));
    await store.append(spans.slice(4_000));
    await store.checkpoint();
    const { upkeep } = await openUpkeep(store, {
      maxAgeDays: Infinity,
      maxBytes: Math.round((await store.usedBytes()) / 4),
    });
    await upkeep.run();
    const left = await countSpans(store);
    expect(store.knownSpanCount).toBe(left);
    await store.append(spans.slice(0, 10));
    await store.append(spans.slice(-10));
    expect(await countSpans(store)).toBe(left + 10);
  });
});

describe('what was deleted', () => {
  test('is off the disk after a day at the latest, byte by byte', async () => {
    const store = await openStore();
    // Short texts are compressed in the file, long ones lie there as they are.
    const secret = (index: number): string => `secret-${index}-${randomBytes(20_000).toString('hex')}`;
    const old = Array.from({ length: 40 }, (_, index) => secret(index));
    const young = Array.from({ length: 400 }, (_, index) =>
      secret(1000 + index).slice(0, index < 5 ? Infinity : 2_000),
    );
    await store.append(
      old.map((inputText, index) => step(4 * MS_PER_DAY, { inputText, serviceName: `service-${index}-gone` })),
    );
    await store.append(young.map((inputText) => step(MS_PER_HOUR, { inputText })));
    await store.checkpoint();
    const onDisk = (part: string): boolean =>
      readdirSync(folder)
        .filter((name) => name.startsWith(store.path.split('/').at(-1)!))
        .some((name) => readFileSync(join(folder, name)).includes(part.slice(0, 60)));
    expect(old.every(onDisk)).toBe(true);
    const { upkeep } = await openUpkeep(store, { maxAgeDays: 3, maxBytes: 2 ** 40 });
    await upkeep.run();
    expect(await countSpans(store)).toBe(400);
    expect(upkeep.counts.rewrites).toBe(0);
    const clock = new Clock();
    clock.pass(23 * MS_PER_HOUR);
    const later = await openUpkeep(store, UNLIMITED, clock);
    await later.upkeep.run();
    expect(later.upkeep.counts.rewrites).toBe(1);
    expect(old.filter(onDisk)).toEqual([]);
    expect(onDisk('service-7-gone')).toBe(false);
    await store.checkpoint();
    expect(young.slice(0, 5).every(onDisk)).toBe(true);
    expect(await scalar(store, 'SELECT count(DISTINCT input_text) FROM spans')).toBe(400n);
    // Nothing is left to be done.
    await later.upkeep.run();
    expect(later.upkeep.counts.rewrites).toBe(1);
  });
});

describe('a rewrite', () => {
  test('keeps every span that is stored, changed or asked for meanwhile', async () => {
    const store = await openStore();
    const spans = Array.from({ length: 30_000 }, (_, index) => step(index, { conversationId: `c${index % 5000}` }));
    for (let from = 0; from < spans.length; from += 4_000) await store.append(spans.slice(from, from + 4_000));
    const expected = new Map(spans.map((span) => [span.spanId, span]));
    let isOver = false;
    const rewriting = (async () => {
      for (let round = 0; round < 3; round++) await store.rewrite();
      isOver = true;
    })();
    let rounds = 0;
    while (!isOver) {
      const longer = spans
        .slice(rounds * 7, rounds * 7 + 20)
        .map((span) => ({ ...span, durationNano: 1_000n + BigInt(rounds) }));
      const fresh = Array.from({ length: 20 }, () =>
        step(0, { name: 'new', step: `step ${rounds % 50}`, serviceName: `s${rounds}` }),
      );
      await store.append([...longer, ...fresh]);
      for (const span of [...longer, ...fresh]) expected.set(span.spanId, span);
      expect(await countSpans(store)).toBe(expected.size);
      rounds += 1;
    }
    await rewriting;
    expect(rounds).toBeGreaterThan(3);
    const rows = await store.read(async (connection) =>
      (
        await connection.runAndReadAll(
          "SELECT printf('%016x', span_id), duration_ns, step, service_name FROM spans " +
            'LEFT JOIN steps USING (step_id) LEFT JOIN resources USING (resource_id)',
        )
      ).getRows(),
    );
    expect(rows).toHaveLength(expected.size);
    for (const [spanId, durationNano, name, serviceName] of rows) {
      const span = expected.get(spanId as string)!;
      expect([durationNano, name, serviceName]).toEqual([span.durationNano, span.step, span.serviceName ?? null]);
    }
    await store.close();
    const source = await openDuckDbSource(store.path);
    expect((await source.ask({ name: 'conversations', order: 'newest', limit: 1 })).coverage.complete).toBe(true);
    await source.close();
  });

  test('leaves nothing beside the store, which only its owner can read', async () => {
    const store = await openStore();
    await store.append([step(0)]);
    await store.rewrite();
    await store.append([step(0)]);
    const names = readdirSync(folder).filter((name) => name.startsWith(store.path.split('/').at(-1)!));
    expect(names.map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])).toEqual(
      names.map((name) => [name, '600']),
    );
    expect(names.filter((name) => name.includes('rewrit'))).toEqual([]);
  });
});

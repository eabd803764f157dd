import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SpanRecord } from '@convotel/query';
import { checkpoint, Database } from '../../src/store/database.ts';
import { deleteEnded } from '../../src/store/retention.ts';
import { SpanStore } from '../../src/store/span-store.ts';
import { Upkeep } from '../../src/store/upkeep.ts';

const NOW_MS = Date.UTC(2026, 5, 15, 12);
const MEMORY_BYTES = 64 * 2 ** 20;
/** As many numbers of arrival make a slice, which is written to the tables of look-ups. */
const SPANS_PER_SLICE = 2 ** 14;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-checkpoint-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Steps one millisecond after another, each a conversation of its own. */
function spansFrom(first: number, count: number): SpanRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const number = (first + index).toString(16);
    return {
      traceId: number.padStart(32, '1'),
      spanId: number.padStart(16, '1'),
      name: 'gpt',
      step: 'gpt',
      role: 'step',
      depth: 0,
      outcome: 'completed',
      isRecovered: false,
      startTimeUnixNano: BigInt(NOW_MS + first + index) * 1_000_000n,
      durationNano: 5n,
      inputText: randomBytes(48).toString('base64'),
    };
  });
}

function rowGroupsOf(store: SpanStore): Promise<number> {
  return store.read(async (connection) => {
    const sql = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('spans') WHERE persistent";
    return Number((await connection.runAndReadAll(sql)).getRows()[0]![0]);
  });
}

test('a checkpoint waits for what keeps DuckDB from making one', async () => {
  const path = join(folder, 'plain.duckdb');
  const database = await Database.open(path, { isReadOnly: false, memoryLimitBytes: MEMORY_BYTES });
  const [writer, other] = [await database.connect(), await database.connect()];
  await writer.run('CREATE TABLE numbers AS SELECT range AS number FROM range(1000)');
  await other.run('BEGIN');
  await other.run('UPDATE numbers SET number = 2 WHERE number = 1');
  await expect(writer.run('CHECKPOINT')).rejects.toThrow('there are other write transactions');

  let isMade = false;
  const made = checkpoint(writer).then(() => (isMade = true));
  // Its first try comes before these on the same connection.
  for (let count = 0; count < 10; count++) await writer.runAndReadAll('SELECT count(*) FROM numbers');
  expect(isMade).toBe(false);
  await other.run('ROLLBACK');
  await made;

  // Anything else is thrown at once.
  await expect(checkpoint(writer, 'nothing')).rejects.toThrow('nothing');
  for (const connection of [writer, other]) connection.closeSync();
  await database.close();
});

test('checkpoints write each span once, and closing merges what they wrote', async () => {
  const path = join(folder, 'grown.duckdb');
  const options = { memoryLimitBytes: MEMORY_BYTES, checkpointBytes: 500_000 };
  const store = await SpanStore.open(path, options);
  let longest = 0;
  for (let from = 0; from < 40_000; from += 500) {
    await store.append(spansFrom(from, 500));
    longest = Math.max(longest, (await stat(path)).size / (await store.usedBytes()));
  }
  // Written anew beside what it replaces, the newest row group alone would make it half as long again.
  expect(longest).toBeLessThan(1.2);
  expect(await rowGroupsOf(store)).toBeGreaterThan(2);
  await store.close();
  const again = await SpanStore.open(path, options);
  expect(await rowGroupsOf(again)).toBeLessThanOrEqual(2);
  await again.close();
});

test('what upkeep and look-ups remember does not keep a checkpoint from being made while a question is open', async () => {
  const path = join(folder, 'store.duckdb');
  const store = await SpanStore.open(path, { memoryLimitBytes: MEMORY_BYTES });
  const upkeep = await Upkeep.open(store, {
    retention: { maxAgeDays: 30, maxBytes: 2 ** 40 },
    intervalMs: 60_000,
    onNotice: () => undefined,
    now: () => NOW_MS + 3_600_000,
  });
  await store.read(async (reader) => {
    await reader.run('BEGIN');
    await reader.runAndReadAll('SELECT count(*) FROM spans');
    await store.append(spansFrom(0, SPANS_PER_SLICE));
    await upkeep.run();
    const boundary = { endNs: BigInt(NOW_MS + 10) * 1_000_000n, traceId: 0n, spanId: 0n };
    await deleteEnded(store, boundary, [], NOW_MS, () => false);
    await store.change(async (connection) => void (await connection.run('CHECKPOINT')));
    await reader.run('ROLLBACK');
  });
  expect((await stat(`${path}.wal`).catch(() => ({ size: 0 }))).size).toBe(0);
  const [remembered] = await store.read(async (reader) =>
    (await reader.runAndReadAll('SELECT * FROM upkeep')).getRowObjects(),
  );
  expect(remembered).toEqual({
    trusted_ns: expect.any(BigInt),
    jump_watched_ms: 0n,
    unreclaimed_since_ns: BigInt(NOW_MS) * 1_000_000n,
    looked_up_until: SPANS_PER_SLICE,
  });
  await store.close();
});

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

test('what upkeep and look-ups remember does not keep a checkpoint from being made while a question is open', async () => {
  const path = join(folder, 'store.duckdb');
  const store = await SpanStore.open(path, { memoryLimitBytes: MEMORY_BYTES });
  const spans = Array.from({ length: SPANS_PER_SLICE }, (_, index) => ({
    traceId: index.toString(16).padStart(32, '1'),
    spanId: index.toString(16).padStart(16, '1'),
    name: 'gpt',
    step: 'gpt',
    role: 'step' as const,
    depth: 0,
    outcome: 'completed' as const,
    isRecovered: false,
    startTimeUnixNano: BigInt(NOW_MS + index) * 1_000_000n,
    durationNano: 5n,
  }));
  const upkeep = await Upkeep.open(store, {
    retention: { maxAgeDays: 30, maxBytes: 2 ** 40 },
    intervalMs: 60_000,
    onNotice: () => undefined,
    now: () => NOW_MS + 3_600_000,
  });
  await store.read(async (reader) => {
    await reader.run('BEGIN');
    await reader.runAndReadAll('SELECT count(*) FROM spans');
    await store.append(spans);
    await upkeep.run();
    await deleteEnded(store, BigInt(NOW_MS + 10) * 1_000_000n, [], NOW_MS, () => false);
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

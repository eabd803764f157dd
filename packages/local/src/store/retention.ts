import type { RetentionOptions } from '../backend-options.ts';
import { deleteOldest } from './delete-oldest.ts';
import type { SpanStore } from './span-store.ts';
import { sqlFile } from './sql-file.ts';

const NANO_PER_DAY = 86_400_000_000_000n;
/** More than can have passed since 1970; it stands for an age without limit. */
const MANY_DAYS = 100_000;
const LATEST_NS = 2n ** 63n - 1n;
/** Of the space allowed, how much is left used after deleting for space, so that the next span does not start it again. */
const SPACE_TARGET = 0.9;
/** The filter of known spans is made anew when it holds this many times more than is stored. */
const FORGOTTEN_RATIO = 2;

/** Deleting in the background. */
export interface Retention {
  /** Ends it, once what it does at the moment is done. */
  stop(): Promise<void>;
}

/**
 * Keeps the store within `limits`, now and every `intervalMs`, in small steps between which spans are taken. A failure
 * is told to `onNotice` and tried again next time.
 */
export function startRetention(
  store: SpanStore,
  limits: Required<RetentionOptions>,
  intervalMs: number,
  onNotice: (notice: string) => void,
): Retention {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = running
      .then(() => keepWithin(store, limits, BigInt(Date.now()) * 1_000_000n, () => isStopped))
      .catch((error: unknown) => onNotice(`retention failed and is tried again: ${(error as Error).message}`));
  };
  const timer = setInterval(run, intervalMs);
  timer.unref();
  run();
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** Deletes what is too old at `nowUnixNano`, then what is too much: whole conversations, the oldest first. */
export async function keepWithin(
  store: SpanStore,
  limits: Required<RetentionOptions>,
  nowUnixNano: bigint,
  isStopped: () => boolean = () => false,
): Promise<void> {
  const maxAge = BigInt(Math.round(Math.min(limits.maxAgeDays, MANY_DAYS) * Number(NANO_PER_DAY)));
  let deleted = await deleteOldest(store, nowUnixNano - maxAge, Number.POSITIVE_INFINITY, isStopped);
  deleted += await deleteForSpace(store, limits.maxBytes, isStopped);
  if (deleted === 0) return;
  if (store.knownSpanCount > (await readNumber(store, COUNT_SPANS)) * FORGOTTEN_RATIO) await store.forgetDeletedSpans();
}

/**
 * Deletes as many of the oldest spans as their share of the space says. Once a run: DuckDB frees whole row groups only,
 * so what is used just afterwards says too little about what is stored.
 */
async function deleteForSpace(store: SpanStore, maxBytes: number, isStopped: () => boolean): Promise<number> {
  const usedBytes = await readNumber(store, sqlFile('used-space'));
  if (usedBytes <= maxBytes) return 0;
  const surplus = Math.ceil((await readNumber(store, COUNT_SPANS)) * (1 - (maxBytes * SPACE_TARGET) / usedBytes));
  const deleted = await deleteOldest(store, LATEST_NS, surplus, isStopped);
  // Space comes free only with a checkpoint.
  await store.change(async (connection) => {
    await connection.run('CHECKPOINT');
  });
  return deleted;
}

const COUNT_SPANS = 'SELECT count(*) FROM spans';

function readNumber(store: SpanStore, sql: string): Promise<number> {
  return store.read(async (connection) => {
    const reader = await connection.runAndReadAll(sql);
    return Number(reader.getRows()[0]![0]);
  });
}

import { type DuckDBConnection, LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import type { RetentionOptions } from '../backend-options.ts';
import type { SpanStore } from './span-store.ts';
import { sqlFile } from './sql-file.ts';

/** Traces deleted in one transaction at most; appends wait for no longer than that takes. */
const TRACES_PER_DELETE = 5_000;
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
  /** Deletes what is too old or too much now. */
  runOnce(nowUnixNano: bigint): Promise<void>;
  /** Ends it, once what it does at the moment is done. */
  stop(): Promise<void>;
}

/**
 * Keeps the store within its limits, every `intervalMs`: whole conversations, the oldest first, in small steps between
 * which spans are taken. A failure is told to `onNotice` and tried again next time.
 */
export function startRetention(
  store: SpanStore,
  limits: Required<RetentionOptions>,
  intervalMs: number,
  onNotice: (notice: string) => void,
): Retention {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  const runOnce = async (nowUnixNano: bigint): Promise<void> => {
    const cutoff = nowUnixNano - BigInt(Math.round(Math.min(limits.maxAgeDays, MANY_DAYS) * Number(NANO_PER_DAY)));
    let deleted = await deleteOldest(store, cutoff, Number.POSITIVE_INFINITY, () => isStopped);
    deleted += await deleteForSpace(store, limits.maxBytes, () => isStopped);
    if (deleted > 0) await forgetDeleted(store);
  };
  const run = (): void => {
    running = running
      .then(() => (isStopped ? undefined : runOnce(BigInt(Date.now()) * 1_000_000n)))
      .catch((error: unknown) => onNotice(`retention failed and is tried again: ${(error as Error).message}`));
  };
  const timer = setInterval(run, intervalMs);
  timer.unref();
  run();
  return {
    runOnce,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** Deletes up to `limit` traces of which nothing started at `beforeNs` or later. Returns how many it were. */
async function deleteOldest(
  store: SpanStore,
  beforeNs: bigint,
  limit: number,
  isStopped: () => boolean,
): Promise<number> {
  let deleted = 0;
  while (deleted < limit && !isStopped()) {
    const wanted = Math.min(TRACES_PER_DELETE, limit - deleted);
    const traceIds = await store.read((connection) => findOldest(connection, beforeNs, wanted));
    if (traceIds.length === 0) break;
    await store.change((connection) => deleteTraces(connection, traceIds));
    deleted += traceIds.length;
    if (traceIds.length < wanted) break;
  }
  return deleted;
}

/**
 * Deletes as many of the oldest traces as their share of the space says. Once a run: DuckDB frees whole row groups only,
 * so what is used just afterwards says too little about what is stored.
 */
async function deleteForSpace(store: SpanStore, maxBytes: number, isStopped: () => boolean): Promise<number> {
  const usedBytes = await store.read(readUsedBytes);
  if (usedBytes <= maxBytes) return 0;
  const traces = await store.read(countTraces);
  const surplus = Math.ceil(traces * (1 - (maxBytes * SPACE_TARGET) / usedBytes));
  const deleted = await deleteOldest(store, LATEST_NS, surplus, isStopped);
  // Space comes free only with a checkpoint.
  await store.change(async (connection) => {
    await connection.run('CHECKPOINT');
  });
  return deleted;
}

async function forgetDeleted(store: SpanStore): Promise<void> {
  const stored = await store.read(countSpans);
  if (store.knownSpanCount > stored * FORGOTTEN_RATIO) await store.forgetDeletedSpans();
}

async function findOldest(connection: DuckDBConnection, beforeNs: bigint, limit: number): Promise<bigint[]> {
  const reader = await connection.runAndReadAll(sqlFile('oldest-traces'), {
    before_ns: beforeNs,
    row_limit: BigInt(limit),
  });
  return reader.getRows().map(([traceId]) => traceId as bigint);
}

async function deleteTraces(connection: DuckDBConnection, traceIds: bigint[]): Promise<void> {
  await connection.run(sqlFile('delete-traces'), { trace_ids: listValue(traceIds) }, { trace_ids: LIST(UHUGEINT) });
}

async function readUsedBytes(connection: DuckDBConnection): Promise<number> {
  return readNumber(connection, sqlFile('used-space'));
}

async function countSpans(connection: DuckDBConnection): Promise<number> {
  return readNumber(connection, 'SELECT count(*) FROM spans');
}

async function countTraces(connection: DuckDBConnection): Promise<number> {
  return readNumber(connection, 'SELECT count(DISTINCT trace_id) FROM spans');
}

async function readNumber(connection: DuckDBConnection, sql: string): Promise<number> {
  const reader = await connection.runAndReadAll(sql);
  return Number(reader.getRows()[0]![0]);
}

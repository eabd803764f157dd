import { existsSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { LocalError } from '../local-error.ts';
import { Database, type DatabaseOptions, explainedDamage } from './database.ts';
import { migrate } from './migrations.ts';
import { ResourceTable, StepTable } from './numbered-tables.ts';
import { findSummedUpUntil } from './slice-summaries.ts';
import { SpanAppender } from './span-rows.ts';
import {
  checkRegular,
  FileWatch,
  logOf,
  makeStoreFolder,
  narrowPermissions,
  removeUnfinishedCopies,
} from '../store-files.ts';
import { cutHiddenDamage, cutLog, type DamagedLog, findReplayFailure } from './write-ahead-log.ts';

export interface SpanStoreOptions {
  /** Most memory that DuckDB takes, in bytes. */
  memoryLimitBytes: number;
  /** How long the log may become, in bytes, before a checkpoint. @defaultValue `64_000_000` */
  checkpointBytes?: number | undefined;
  /** Awaited between two pieces of a write, so that questions come first; it must not take long. @defaultValue nothing */
  yieldToQuestions?: (() => Promise<void>) | undefined;
  /** Called with what an operator should know, one sentence per call. @defaultValue notices are dropped */
  onNotice?: ((notice: string) => void) | undefined;
  /** Called with the files that may be at the store's path, by device and inode number, before another replaces it. */
  onFileChange?: ((fileIds: string[]) => Promise<void>) | undefined;
}

/** What writes need; reopened after a failure. */
export interface OpenStore {
  database: Database;
  connection: DuckDBConnection;
  appender: SpanAppender;
  /** The number of the next span in order of arrival. */
  nextArrival: number;
  /** All spans with a smaller number are in the tables of look-ups; null in a store without. */
  lookedUpUntil: number | null;
  /** The slices before this number are summed up. */
  summedUpUntil: number;
  resources: ResourceTable;
  steps: StepTable;
  file: FileWatch;
}

/**
 * Opens the store at `path` for writing, and creates it when missing. What can be read of a damaged log goes into the
 * store, and the log is put aside.
 * @throws {@link LocalError} `STORE_LOCKED`, `STORE_UNREADABLE`
 */
export async function openForWriting(path: string, options: SpanStoreOptions): Promise<OpenStore> {
  const isNewFolder = await makeStoreFolder(path);
  const isNewStore = !existsSync(path);
  const database = await openMended(path, options);
  try {
    if (!isNewStore) await removeUnfinishedCopies(path);
    const connection = await database.connect();
    await migrate(connection, path);
    const open = {
      database,
      connection,
      appender: await SpanAppender.open(connection),
      ...(await readArrivals(connection)),
      summedUpUntil: await findSummedUpUntil(connection),
      resources: await ResourceTable.open(connection),
      steps: new StepTable(connection),
      file: new FileWatch(path),
    };
    open.file.hasLog();
    const narrowed = await narrowPermissions(path);
    if (!isNewStore && !isNewFolder && narrowed.length > 0) {
      options.onNotice?.(`others could open ${narrowed.join(', ')}; now only the owner can`);
    }
    return open;
  } catch (error) {
    await database.close();
    throw explainedDamage(path, error);
  }
}

async function readArrivals(connection: DuckDBConnection): Promise<Pick<OpenStore, 'nextArrival' | 'lookedUpUntil'>> {
  const sql = 'SELECT max(looked_up_until), (SELECT max(arrival) FROM spans) FROM upkeep';
  const [row] = (await connection.runAndReadAll(sql)).getRows();
  const [lookedUpUntil, lastArrival] = row as [number | null, number | null];
  // The newest spans may have been deleted since they were looked up.
  return { lookedUpUntil, nextArrival: Math.max((lastArrival ?? -1) + 1, lookedUpUntil ?? 0) };
}

/** How often a damaged log is truncated further before all of it is discarded. */
const MAX_LOG_CUTS = 5;

async function openMended(path: string, options: SpanStoreOptions): Promise<Database> {
  const { memoryLimitBytes, checkpointBytes, onNotice } = options;
  const opening: DatabaseOptions = { isReadOnly: false, memoryLimitBytes, checkpointBytes };
  checkRegular(path);
  let damage: DamagedLog | undefined;
  if (existsSync(path) && existsSync(logOf(path)) && (await isFree(path, memoryLimitBytes))) {
    damage = await cutHiddenDamage(path);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const database = await Database.open(path, opening);
      if (damage !== undefined) onNotice?.(sentenceOf(path, damage));
      return database;
    } catch (error) {
      const position = findReplayFailure((error as Error).cause);
      if (position === undefined || attempt > MAX_LOG_CUTS || !existsSync(logOf(path))) throw error;
      damage = await cutLog(path, attempt < MAX_LOG_CUTS ? position : 0, damage);
    }
  }
}

/** Whether no other process holds the store, so that its log may be read and repaired. */
async function isFree(path: string, memoryLimitBytes: number): Promise<boolean> {
  try {
    await (await Database.open(path, { isReadOnly: true, memoryLimitBytes })).close();
    return true;
  } catch (error) {
    return !(error instanceof LocalError && error.code === 'STORE_LOCKED');
  }
}

function sentenceOf(path: string, { keptAs, lostBytes, totalBytes, lostTransactions }: DamagedLog): string {
  const transactions =
    lostTransactions === 0
      ? 'how many spans were in them is not known'
      : `at least ${lostTransactions} transactions were in them, each with the spans of one request or more`;
  const lost =
    lostBytes === 0
      ? 'Nothing that it held is lost'
      : `The last ${lostBytes} of its ${totalBytes} bytes are lost: ${transactions}`;
  return (
    `the log of ${path} was damaged. ${lost}; everything before is in the store. ` +
    `The log as it was found is kept as ${keptAs}: restore a backup if you need what is missing, else delete it`
  );
}

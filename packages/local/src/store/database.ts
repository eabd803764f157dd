import { existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { readPresence } from '../discovery.ts';
import { LocalError } from '../local-error.ts';
import { checkRegular, damagedNameOf, finishedCopyOf, putFinishedCopyInPlace } from '../store-files.ts';
import { findHiddenDamage, findReplayFailure } from './write-ahead-log.ts';

const textByName = new Map<string, string>();

/** The text of `sql/<name>.sql`; read once. */
export function sqlFile(name: string): string {
  let text = textByName.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`../../sql/${name}.sql`, import.meta.url), 'utf8');
    textByName.set(name, text);
  }
  return text;
}

/** How to open a {@link Database}. */
export interface DatabaseOptions {
  isReadOnly: boolean;
  /** Most memory that DuckDB takes for its pages and its work; beyond it, it spills to a folder beside the file. */
  memoryLimitBytes: number;
  /** How long the log may become, in bytes, before a checkpoint. @defaultValue `64_000_000` */
  checkpointBytes?: number | undefined;
}

/** Most the log may grow to: until a checkpoint, its content is in memory too. */
export const MAX_CHECKPOINT_BYTES = 64_000_000;

/** Size of DuckDB's row groups, which are read, skipped and freed as a whole. */
export const ROWS_PER_GROUP = 122_880;

/** Size of a block of a new file, in bytes. */
export const BLOCK_BYTES = 65_536;

/** Most merges of row groups in the checkpoint that closes a database: as many as DuckDB makes by default. */
const MERGES_AT_CLOSE = 100;

/** Whether the spans are in more than twice as many row groups as they would fill. */
const IS_SCATTERED = `
  SELECT count(DISTINCT row_group_id) > 2 * (SELECT ceil(count(*) / ${ROWS_PER_GROUP}) FROM spans) + 2
  FROM pragma_storage_info('spans')
  WHERE column_name = 'trace_id'`;

/** Most connections in use at one time; further callers wait. */
const MAX_CONNECTIONS = 4;

/** Thrown before any work was done, so the caller may retry on the database that has replaced this one. */
export class DatabaseClosedError extends LocalError {
  constructor() {
    super('STORE_UNREADABLE', 'the store has been closed');
  }
}

/** One opened DuckDB file, and the connections to it. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #isReadOnly: boolean;
  #lent = 0;
  #isClosed = false;

  /** How long the log may become before a checkpoint, as DuckDB's setting is written. */
  readonly checkpointThreshold: string;

  private constructor(instance: DuckDBInstance, options: DatabaseOptions) {
    this.#instance = instance;
    this.#isReadOnly = options.isReadOnly;
    this.checkpointThreshold = thresholdOf(options);
  }

  /** @throws {@link LocalError} `STORE_LOCKED`, `STORE_UNREADABLE` */
  static async open(path: string, options: DatabaseOptions): Promise<Database> {
    checkRegular(path);
    const file = existsSync(finishedCopyOf(path)) ? await fileAfterSwap(path, options) : path;
    let instance: DuckDBInstance;
    try {
      instance = await createInstance(file, options);
    } catch (error) {
      throw await explained(path, error);
    }
    if (!options.isReadOnly && !(await isInFile(instance))) {
      instance.closeSync();
      throw otherKind(path);
    }
    if (options.isReadOnly && file === path && (await findHiddenDamage(path)) !== undefined) {
      instance.closeSync();
      throw damagedLog(path);
    }
    return new Database(instance, options);
  }

  /** Opens a connection that the caller closes. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** Runs `use` with a connection that it has to itself until it settles. */
  async lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    while (this.#lent >= MAX_CONNECTIONS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) throw new DatabaseClosedError();
    this.#lent += 1;
    try {
      const connection = this.#idle.pop() ?? (await this.#instance.connect());
      try {
        return await use(connection);
      } finally {
        this.#idle.push(connection);
      }
    } finally {
      this.#lent -= 1;
      this.#waiting.shift()?.();
    }
  }

  /**
   * Closes the file once every connection in use has been returned.
   * @param keepLog - Leaves the log as it is: its content is already elsewhere, and its path names another file.
   */
  async close(keepLog = false): Promise<void> {
    if (!this.#isReadOnly) await this.#prepareLastCheckpoint(keepLog);
    this.#isClosed = true;
    while (this.#lent > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      // Fail the other callers that wait, too.
      this.#waiting.shift()?.();
    }
    for (const connection of this.#idle.splice(0)) connection.closeSync();
    this.#instance.closeSync();
  }

  async #prepareLastCheckpoint(keepLog: boolean): Promise<void> {
    try {
      const connection = await this.connect();
      if (keepLog) {
        await connection.run('PRAGMA disable_checkpoint_on_shutdown');
      } else if ((await connection.runAndReadAll(IS_SCATTERED)).getRows()[0]![0] === true) {
        // Row groups are merged only here, and not each time: they are written anew beside their old blocks, which makes the
        // file half as long again. But each start of a back end leaves a small one.
        await connection.run(`SET GLOBAL max_vacuum_tasks = ${MERGES_AT_CLOSE}`);
      }
      connection.closeSync();
    } catch {
      // A database that has failed, or has no tables yet, makes no such checkpoint.
    }
  }
}

function thresholdOf({ checkpointBytes = MAX_CHECKPOINT_BYTES }: DatabaseOptions): string {
  return `${Math.ceil(checkpointBytes / 1000)}KB`;
}

function createInstance(path: string, options: DatabaseOptions): Promise<DuckDBInstance> {
  return DuckDBInstance.create(path, {
    access_mode: options.isReadOnly ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: `${Math.ceil(options.memoryLimitBytes / 1024)}KiB`,
    // DuckDB must never download anything.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'false',
    // Up to this many values from one side of a join select the row groups that are read on the other.
    dynamic_or_filter_threshold: '1000',
    // For a new file. Small commits write a tenth faster than with the usual 256 KiB, and waste less space.
    default_block_size: String(BLOCK_BYTES),
    // More than the usual 16 MB: what a checkpoint writes begins a row group of its own, and small ones take more space. Much
    // more would cost too: until a checkpoint the rows are in memory, and after a crash they are read again, 60 MB in about
    // a second.
    checkpoint_threshold: thresholdOf(options),
    // What a checkpoint writes is a row group of its own. Merged with others at once, the newest four or so would be written
    // anew at many checkpoints, beside their old blocks: a small file would take twice its size.
    max_vacuum_tasks: '0',
  });
}

/**
 * Which file is the store at `path` while there is a finished copy: a process is, or was killed, between the last two
 * steps of a rewrite. A caller that may write takes the last step.
 */
async function fileAfterSwap(path: string, options: DatabaseOptions): Promise<string> {
  if (existsSync(path)) {
    try {
      // Opened only to see whether a process holds it, which will then take the step itself.
      (await createInstance(path, { ...options, isReadOnly: true })).closeSync();
    } catch (error) {
      const reason = await explained(path, error);
      if (reason.code === 'STORE_LOCKED') throw reason;
    }
    if (!(await isStore(finishedCopyOf(path), options))) {
      // No rewrite has made this, and what it is called must not cost the store.
      if (!options.isReadOnly) await rename(finishedCopyOf(path), damagedNameOf(finishedCopyOf(path), new Date()));
      return path;
    }
  }
  if (options.isReadOnly) return finishedCopyOf(path);
  await putFinishedCopyInPlace(path);
  return path;
}

/** Whether the file at `path` can be opened and has the tables of a store. */
async function isStore(path: string, options: DatabaseOptions): Promise<boolean> {
  let instance: DuckDBInstance | undefined;
  try {
    checkRegular(path);
    instance = await createInstance(path, { ...options, isReadOnly: true });
    const connection = await instance.connect();
    await connection.run('SELECT count(*) FROM convotel_schema, spans WHERE false');
    connection.closeSync();
    return true;
  } catch {
    return false;
  } finally {
    instance?.closeSync();
  }
}

/** The words of DuckDB's message, the only reason it gives, without the path: a folder may be called `lock`. */
async function explained(path: string, error: unknown): Promise<LocalError> {
  const reason = (error as Error).message;
  const withoutPath = reason.replaceAll(path, '');
  if (findReplayFailure(error) !== undefined) return damagedLog(path, error);
  if (/not a valid DuckDB database file|in-memory database/.test(withoutPath)) return otherKind(path, error);
  if (!/^IO Error: (Could not set lock on file|Cannot open file .* used by another process)/s.test(withoutPath)) {
    return new LocalError('STORE_UNREADABLE', `${path} cannot be opened as a DuckDB file: ${reason}`, { cause: error });
  }
  const pid = /\(PID (\d+)\)/.exec(withoutPath)?.[1];
  const presence = readPresence(path);
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  const address =
    presence === undefined || (pid !== undefined && Number(pid) !== presence.pid) ? undefined : presence.url;
  const message =
    address === undefined
      ? `${path} is in use by ${holder}; only one process can open a store at a time: stop it, or name another file`
      : `${path} is in use by ${holder}, a back end that answers at ${address}: ask it there, or stop it first`;
  return new LocalError('STORE_LOCKED', message, { cause: error });
}

/**
 * Whether a database is kept in its file. DuckDB opens a database in memory beside a file of another kind whose name ends
 * like that of a table, such as `.json` or `.csv`.
 */
async function isInFile(instance: DuckDBInstance): Promise<boolean> {
  const connection = await instance.connect();
  try {
    const sql = 'SELECT path FROM duckdb_databases() WHERE database_name = current_database()';
    return (await connection.runAndReadAll(sql)).getRows()[0]![0] !== null;
  } finally {
    connection.closeSync();
  }
}

function otherKind(path: string, cause?: unknown): LocalError {
  const message = `${path} does not begin like a DuckDB file: name another file or, if it was a store, restore a backup`;
  return new LocalError('STORE_UNREADABLE', message, { cause });
}

function damagedLog(path: string, cause?: unknown): LocalError {
  const message =
    `the log of ${path} is damaged: run \`convotel serve\` on it once, which keeps everything before the damage, ` +
    'puts the log aside and says what is lost';
  return new LocalError('STORE_UNREADABLE', message, { cause });
}

/** Whether `error`, or its cause, says that a part of the file is corrupt. */
export function isDamage(error: unknown): boolean {
  for (
    let cause = error as Partial<Error> | undefined;
    cause != null;
    cause = cause.cause as Partial<Error> | undefined
  ) {
    if (/corrupt database file/i.test(cause.message ?? '')) return true;
  }
  return false;
}

/**
 * Damage that keeps the store at `path` from being used at all, as the error that says so; any other error as it is.
 */
export function explainedDamage(path: string, error: unknown): unknown {
  if (error instanceof LocalError || !isDamage(error)) return error;
  return new LocalError(
    'STORE_UNREADABLE',
    `${path} cannot be opened, because a part that every use needs is damaged: ${(error as Error).message}. ` +
      'Restore a backup, or move the file away to begin a new store',
    { cause: error },
  );
}

/**
 * Runs `read` on all of `spans`; where that meets damage, again on each row group, passing over those that are damaged. So
 * `read` may see a span more than once.
 * @param read - takes a condition for the spans to read
 * @returns whether all could be read
 */
export async function readUndamaged(
  connection: DuckDBConnection,
  read: (condition: string) => Promise<void>,
): Promise<boolean> {
  try {
    await read('true');
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const [[end] = []] = (await connection.runAndReadAll('SELECT max(rowid) FROM spans')).getRows();
  for (let from = 0; from <= Number(end ?? -1); from += ROWS_PER_GROUP) {
    try {
      await read(`rowid >= ${from} AND rowid < ${from + ROWS_PER_GROUP}`);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return false;
}

/** How long a checkpoint that is refused is tried again, and how often. */
const CHECKPOINT_DEADLINE_MS = 10_000;
const CHECKPOINT_PAUSE_MS = 5;

/**
 * Writes everything to the file of `connection`'s database, or of the attached one called `name`. DuckDB refuses that
 * while another connection measures the file or its update can still be seen; that passes, so it is tried again.
 */
export async function checkpoint(connection: DuckDBConnection, name = ''): Promise<void> {
  const deadlineMs = performance.now() + CHECKPOINT_DEADLINE_MS;
  for (;;) {
    try {
      await connection.run(`CHECKPOINT ${name}`);
      return;
    } catch (error) {
      const isBusy = /Cannot CHECKPOINT: there are other write transactions/.test((error as Error).message);
      if (!isBusy || performance.now() > deadlineMs) throw error;
    }
    await wait(CHECKPOINT_PAUSE_MS);
  }
}

/** Runs `work` in a transaction on `connection`; rolls back when it throws. */
export async function transaction<Result>(connection: DuckDBConnection, work: () => Promise<Result>): Promise<Result> {
  await connection.run('BEGIN');
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await connection.run('ROLLBACK');
    throw error;
  }
  // One that fails has rolled back already; a rollback would fail too, and hide why.
  await connection.run('COMMIT');
  return result;
}

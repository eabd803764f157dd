import { setImmediate } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SpanRecord } from '@convotel/query';
import { LocalError } from '../local-error.ts';
import { deduplicate, deleteStored } from './copies.ts';
import { Database } from './database.ts';
import { KnownSpanIds } from './known-span-ids.ts';
import { readKnownSpanIds } from './read-known-span-ids.ts';
import { migrate } from './migrations.ts';
import { ResourceTable } from './resource-table.ts';
import { SpanAppender } from './span-appender.ts';
import { StepTable } from './step-table.ts';

/** Spans of waiting requests that one transaction takes at most, so that nobody waits long for it. */
const MAX_SPANS_PER_COMMIT = 4_096;

interface WaitingAppend {
  spans: readonly SpanRecord[];
  resolve(): void;
  reject(error: LocalError): void;
}

/** What writes need, and what is opened anew after a failure. */
interface OpenStore {
  database: Database;
  connection: DuckDBConnection;
  appender: SpanAppender;
  resources: ResourceTable;
  steps: StepTable;
}

/** What a store has done since it was opened. */
export interface StoreCounts {
  /** Spans that were sent, copies too. */
  receivedSpans: number;
  /** Rows that were written for them; the others were copies. */
  storedSpans: number;
  /** Spans that could not be kept, each time they were sent. */
  refusedSpans: number;
}

/** How to open a {@link SpanStore}. */
export interface SpanStoreOptions {
  /** Most memory that DuckDB takes. */
  memoryLimitBytes: number;
}

/**
 * The DuckDB file of the embedded back end, open for writing. Whoever appends waits until the rows are committed;
 * appends that come meanwhile share the next transaction.
 */
export class SpanStore {
  readonly path: string;
  readonly #options: SpanStoreOptions;
  /** Absent after a failure, until the next write opens the file anew. */
  #open: OpenStore | undefined;
  #known: KnownSpanIds;
  readonly #waiting: WaitingAppend[] = [];
  /** The last thing to be written; writers come one after another. */
  #lastWrite: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #counts: StoreCounts = { receivedSpans: 0, storedSpans: 0, refusedSpans: 0 };

  private constructor(path: string, options: SpanStoreOptions, open: OpenStore, known: KnownSpanIds) {
    this.path = path;
    this.#options = options;
    this.#open = open;
    this.#known = known;
  }

  /** @throws {@link LocalError} `STORE_LOCKED`, `STORE_UNREADABLE` */
  static async open(path: string, options: SpanStoreOptions): Promise<SpanStore> {
    const open = await openForWriting(path, options);
    return new SpanStore(path, options, open, await readKnownSpanIds(open.connection));
  }

  /**
   * Stores `spans`, copies once. Resolves when they are on disk.
   * @throws {@link LocalError} `STORE_UNWRITABLE` when they are not; appending them again later is safe.
   */
  append(spans: readonly SpanRecord[]): Promise<void> {
    if (spans.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ spans, resolve, reject });
      if (this.#waiting.length === 1) void this.#write(() => this.#commitWaiting());
    });
  }

  /**
   * Lends a connection for reading.
   * @throws {@link LocalError} `STORE_UNWRITABLE` when the last write failed and the file cannot be opened anew
   */
  async read<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const { database } = this.#open ?? (await this.#openedInTurn());
    return database.lend(use);
  }

  /**
   * Runs `change` between two commits, so that no write conflicts with it. It must be short: appends wait for it.
   * @throws what `change` throws
   */
  async change<Result>(change: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    let result: Result | undefined;
    await this.#write(async () => {
      result = await change((await this.#reopened()).connection);
    });
    return result as Result;
  }

  /** What it has done since it was opened. */
  counts(): StoreCounts {
    return { ...this.#counts };
  }

  /** (trace id, span id) pairs that the filter of known spans holds, for deciding when to make it anew. */
  get knownSpanCount(): number {
    return this.#known.size;
  }

  /** Makes the filter of known spans anew from what is stored, without those that have been deleted. */
  async forgetDeletedSpans(): Promise<void> {
    await this.change(async (connection) => {
      this.#known = await readKnownSpanIds(connection);
    });
  }

  /** Writes what waits, and lets go of the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#write(async () => {
      this.#isClosed = true;
      await this.#letGo();
    });
  }

  /** Runs `write` when all earlier ones are over; a failure is the caller's and does not stop later ones. */
  #write(write: () => Promise<void>): Promise<void> {
    const result = this.#lastWrite.then(write);
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  async #commitWaiting(): Promise<void> {
    await this.#gather();
    const group = this.#takeGroup();
    if (group.length === 0) return;
    const spans = group.flatMap((append) => append.spans);
    try {
      const storedSpans = await this.#commit(spans);
      this.#counts.receivedSpans += spans.length;
      this.#counts.storedSpans += storedSpans;
    } catch (error) {
      this.#counts.refusedSpans += spans.length;
      const failure = unwritable(this.path, error);
      for (const append of group) append.reject(failure);
      await this.#letGo();
      return;
    } finally {
      if (this.#waiting.length > 0) void this.#write(() => this.#commitWaiting());
    }
    for (const append of group) append.resolve();
  }

  /**
   * Waits for as long as each turn of the event loop brings more, up to a full transaction: a transaction costs as much
   * as some hundred spans. Where nothing more is at hand, that is one turn.
   */
  async #gather(): Promise<void> {
    let seen = 0;
    while (seen < this.#waiting.length && spanCountOf(this.#waiting) < MAX_SPANS_PER_COMMIT) {
      seen = this.#waiting.length;
      await setImmediate();
    }
  }

  #takeGroup(): WaitingAppend[] {
    let spanCount = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || spanCount < MAX_SPANS_PER_COMMIT)) {
      spanCount += this.#waiting[count]!.spans.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** Returns how many rows were written. */
  async #commit(spans: readonly SpanRecord[]): Promise<number> {
    const { connection, appender, resources, steps } = await this.#reopened();
    const { inserted, replacing } = await deduplicate(spans, this.#known, connection);
    if (inserted.length === 0) return 0;
    await connection.run('BEGIN');
    await steps.learn(inserted);
    const stored = inserted.map((record) => ({
      record,
      resourceId: resources.idOf(record),
      stepId: steps.idOf(record),
    }));
    await resources.insertNew(connection);
    await deleteStored(replacing, connection);
    await appender.append(stored);
    await connection.run('COMMIT');
    return inserted.length;
  }

  async #openedInTurn(): Promise<OpenStore> {
    let open: OpenStore | undefined;
    try {
      await this.#write(async () => {
        open = await this.#reopened();
      });
    } catch (error) {
      throw unwritable(this.path, error);
    }
    return open!;
  }

  async #reopened(): Promise<OpenStore> {
    if (this.#isClosed) throw new Error('it has been closed');
    this.#open ??= await openForWriting(this.path, this.#options);
    return this.#open;
  }

  /** Closes everything; a database that has failed refuses all further work, so only a new one helps. */
  async #letGo(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      open.appender.close();
    } catch {
      // It flushes what a failed transaction left in it, and fails again; those rows were never acknowledged.
    }
    open.connection.closeSync();
    await open.database.close();
  }
}

function spanCountOf(appends: readonly WaitingAppend[]): number {
  return appends.reduce((sum, { spans }) => sum + spans.length, 0);
}

async function openForWriting(path: string, options: SpanStoreOptions): Promise<OpenStore> {
  const database = await Database.open(path, { isReadOnly: false, memoryLimitBytes: options.memoryLimitBytes });
  try {
    const connection = await database.connect();
    await migrate(connection, path);
    return {
      database,
      connection,
      appender: await SpanAppender.open(connection),
      resources: await ResourceTable.open(connection),
      steps: new StepTable(connection),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function unwritable(path: string, error: unknown): LocalError {
  if (error instanceof LocalError && error.code === 'STORE_UNWRITABLE') return error;
  return new LocalError('STORE_UNWRITABLE', `${path} cannot be written at present: ${(error as Error).message}`, {
    cause: error,
  });
}

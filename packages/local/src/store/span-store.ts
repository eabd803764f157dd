import { existsSync } from 'node:fs';
import { rename, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SpanRecord } from '@convotel/query';
import { SerialQueue } from '@convotel/query/engine';
import { LocalError, isStorageFailure, noRoom, unstorable, unwritable } from '../local-error.ts';
import { AppendQueue, type WaitingAppend } from './append-queue.ts';
import { deduplicate, deleteStored, deleteTraces } from './copies.ts';
import {
  checkpoint,
  DatabaseClosedError,
  explainedDamage,
  MAX_CHECKPOINT_BYTES,
  isDamage,
  sqlFile,
} from './database.ts';
import { idNumber } from './columns.ts';
import { type KnownSpanIds, readKnownSpanIds } from './known-span-ids.ts';
import { lookUpWholeSlices } from './look-ups.ts';
import { openForWriting, type OpenStore, type SpanStoreOptions } from './open-store.ts';
import { sumUpWholeSlices } from './slice-summaries.ts';
import { type CopyDamage, type SpanKey, StoreCopy } from './store-copy.ts';
import {
  damagedNameOf,
  fileIdOf,
  finishedCopyOf,
  logOf,
  putFinishedCopyInPlace,
  syncFolder,
  unfinishedCopyOf,
} from '../store-files.ts';

/** What a store has done since it was opened. */
export interface StoreCounts {
  /** Spans that were sent, copies too. */
  receivedSpans: number;
  /** Rows that were written for them; the others were copies. */
  storedSpans: number;
  /** Spans that could not be stored, counted each time they were sent. */
  refusedSpans: number;
}

/**
 * The DuckDB file of the embedded back end, open for writing. An append resolves when its rows are committed; appends
 * that arrive meanwhile share the next transaction.
 */
export class SpanStore {
  readonly path: string;
  readonly #options: SpanStoreOptions;
  /** Absent after a failure, until the next write reopens the file. */
  #open: OpenStore | undefined;
  #known: KnownSpanIds;
  readonly #waiting = new AppendQueue();
  /** Writes run one after another. */
  readonly #writes = new SerialQueue();
  /** Copies of the file, for a rewrite or a backup, run one after another too; each ends with a write. */
  readonly #copies = new SerialQueue();
  /** Spans that were stored again while a copy is made. */
  #replacedSpans: SpanKey[] | undefined;
  #isClosing = false;
  #isClosed = false;
  /** The file whose spans are known. */
  #fileId: string | undefined;
  #problem: string | undefined;
  #hasDamage = false;
  readonly #counts: StoreCounts = { receivedSpans: 0, storedSpans: 0, refusedSpans: 0 };

  private constructor(path: string, options: SpanStoreOptions, open: OpenStore, known: KnownSpanIds) {
    this.path = path;
    this.#options = options;
    this.#open = open;
    this.#known = known;
    this.#fileId = open.file.id;
  }

  /** @throws {@link LocalError} `STORE_LOCKED`, `STORE_UNREADABLE` */
  static async open(path: string, options: SpanStoreOptions): Promise<SpanStore> {
    const open = await openForWriting(path, options);
    try {
      const { known, hasDamage } = await readKnownSpanIds(open.connection);
      const store = new SpanStore(path, options, open, known);
      store.#hasDamage = hasDamage;
      return store;
    } catch (error) {
      await open.database.close();
      throw explainedDamage(path, error);
    }
  }

  /**
   * Stores `spans`, copies once. Resolves when they are on disk.
   * @throws {@link LocalError} `STORE_UNWRITABLE` when they are not; appending them again later is safe.
   *   `SPAN_UNSTORABLE` when a value in them can never be stored.
   */
  append(spans: readonly SpanRecord[]): Promise<void> {
    if (spans.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.add({ spans, resolve, reject });
      if (this.#waiting.length === 1) void this.#writes.run(() => this.#commitWaiting());
    });
  }

  /**
   * Runs `use` with a connection for reading that it has to itself until it settles.
   * @throws {@link LocalError} `STORE_UNWRITABLE` when the last write failed and the file cannot be reopened
   */
  async read<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    for (;;) {
      const { database } = this.#open ?? (await this.#openedInTurn());
      try {
        return await database.lend(use);
      } catch (error) {
        if (isDamage(error)) this.#hasDamage = true;
        // A rewritten file has replaced it meanwhile.
        if (!(error instanceof DatabaseClosedError) || this.#isClosed) throw error;
      }
    }
  }

  /**
   * Runs `change` between two commits, so that no write conflicts with it. It must be short: appends wait for it.
   * @throws what `change` throws
   */
  async change<Result>(change: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    let result: Result | undefined;
    await this.#writes.run(async () => {
      try {
        result = await change((await this.#reopened()).connection);
      } catch (error) {
        if (isDamage(error)) {
          this.#hasDamage = true;
          await this.#letGo();
        }
        throw error;
      }
    });
    return result as Result;
  }

  /**
   * Deletes the spans of these traces and rewrites the file without them. No copy is made at the same time, because it
   * would bring them back. Returns how many there were.
   * @throws {@link LocalError} `STORE_UNWRITABLE` when they are deleted but the disk has no room to rewrite the file;
   *   upkeep does that within a day
   */
  async forgetTraces(traceIds: readonly string[]): Promise<number> {
    let spans = 0;
    await this.#copies.run(async () => {
      spans = await this.change((connection) => deleteTraces(connection, traceIds.map(idNumber), Date.now()));
    });
    await this.rewrite();
    return spans;
  }

  /** What it has done since it was opened. */
  counts(): StoreCounts {
    return { ...this.#counts };
  }

  /** Why spans cannot be kept at present; undefined when they can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @throws {@link LocalError} `STORE_UNWRITABLE` when the store's file has been removed or replaced */
  checkFile(): void {
    this.#open?.file.check();
  }

  /** Whether an unreadable part of the file was found. */
  get hasDamage(): boolean {
    return this.#hasDamage;
  }

  /** Bytes of the file that hold something, and of the log; deleted rows count until their space is free. */
  async usedBytes(): Promise<number> {
    const rows = await this.read(async (connection) =>
      (await connection.runAndReadAll(sqlFile('used-space'))).getRows(),
    );
    return Number(rows[0]![0]) + (await this.logBytes());
  }

  /** Bytes of the log, where spans are until a checkpoint, and take more space than afterwards. */
  logBytes(): Promise<number> {
    return sizeOf(logOf(this.path));
  }

  /** Bytes that the file and its log take on disk. */
  async fileBytes(): Promise<number> {
    return (await sizeOf(this.path)) + (await this.logBytes());
  }

  /** Writes everything to the file, and frees what can be freed in place. */
  async checkpoint(): Promise<void> {
    await this.change(async (connection) => {
      await checkpoint(connection);
      this.#open?.file.hasLog();
    });
  }

  /** (trace id, span id) pairs that the filter of known spans holds, for deciding when to rebuild it. */
  get knownSpanCount(): number {
    return this.#known.size;
  }

  /** Rebuilds the filter of known spans from what is stored, without deleted spans. */
  async forgetDeletedSpans(): Promise<void> {
    await this.change(async (connection) => {
      this.#known = (await readKnownSpanIds(connection)).known;
    });
  }

  /**
   * Writes the rows to a new file, which replaces the store, so that deleted rows are gone from the disk. Spans are
   * accepted and questions answered meanwhile. If a part of the file cannot be read, everything else is copied, and the
   * damaged file is kept.
   *
   * Whenever the process is killed, one of the two files is complete and is the store.
   * @throws {@link LocalError} `STORE_UNWRITABLE` where the disk has no room for the copy
   */
  rewrite(isStopped: () => boolean = () => false): Promise<CopyDamage & { keptAs: string | undefined }> {
    return this.#copyTo(unfinishedCopyOf(this.path), isStopped, async (copy, open) => {
      await this.#reportFiles([fileIdOf(this.path), fileIdOf(copy.path)]);
      const { lostSpans, incompleteSpans } = copy.damage;
      const keptAs = lostSpans + incompleteSpans > 0 ? damagedNameOf(this.path, new Date()) : undefined;
      await rename(copy.path, finishedCopyOf(this.path));
      // From here on the copy is the store; if a later step fails, the next open completes it.
      this.#open = undefined;
      try {
        syncFolder(dirname(this.path));
        if (keptAs !== undefined) await keepAside(this.path, keptAs);
        await putFinishedCopyInPlace(this.path);
      } finally {
        // Questions in progress may finish on the old file, which has no name any more.
        void release(open);
      }
      this.#hasDamage = false;
      this.#fileId = fileIdOf(this.path);
      await this.#reopened();
      return { lostSpans, incompleteSpans, keptAs };
    });
  }

  /**
   * Writes a consistent copy of the store to `path`, while spans are accepted and questions answered.
   * @throws {@link LocalError} `STORE_UNREADABLE` where a part of the store cannot be read
   */
  async backUpTo(path: string): Promise<void> {
    const isStopped = (): boolean => false;
    await this.#copyTo(path, isStopped, async ({ damage: { lostSpans, incompleteSpans } }) => {
      if (lostSpans + incompleteSpans === 0) return;
      this.#hasDamage = true;
      throw new LocalError(
        'STORE_UNREADABLE',
        `a part of ${this.path} cannot be read, so that a copy would not be whole (${lostSpans} spans missing, ` +
          `${incompleteSpans} without a value); the store is being mended, try again in some minutes`,
      );
    });
  }

  /** Writes what is waiting, and closes the file. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    await this.#copies.whenIdle();
    await this.#writes.run(async () => {
      this.#isClosed = true;
      const open = this.#open;
      this.#open = undefined;
      if (open === undefined) return;
      open.appender.close();
      open.connection.closeSync();
      await open.database.close(open.file.id !== fileIdOf(this.path));
    });
  }

  async #copyTo<Result>(
    path: string,
    isStopped: () => boolean,
    end: (copy: StoreCopy, open: OpenStore) => Promise<Result>,
  ): Promise<Result> {
    return this.#copies.run(async () => {
      const open = this.#open ?? (await this.#openedInTurn());
      const { bavail, bsize } = await statfs(dirname(path));
      const needed = await this.usedBytes();
      if (bavail * bsize < needed) throw noRoom(path, needed, bavail * bsize);
      this.#replacedSpans = [];
      const copy = await StoreCopy.start(open.database, path, (work) => this.#writes.run(work));
      try {
        // The second round copies what arrived during the first, the third very little, so the end blocks writers only
        // briefly.
        const isOver = (): boolean => isStopped() || this.#isClosing;
        for (let round = 0; round < 3; round++) await copy.copyRows(isOver);
        if (needed > MAX_CHECKPOINT_BYTES) await copy.checkpoint();
        let ended: { result: Result } | undefined;
        await this.#writes.run(async () => {
          if (isOver() || this.#open !== open) throw new Error('the copy was stopped before it was whole');
          await copy.finish(this.#replacedSpans!);
          ended = { result: await end(copy, open) };
        });
        return ended!.result;
      } catch (error) {
        await copy.abandon();
        throw error;
      } finally {
        this.#replacedSpans = undefined;
      }
    });
  }

  async #commitWaiting(): Promise<void> {
    const group = await this.#waiting.takeGroup();
    try {
      if (group.length > 0) await this.#commitGroup(group);
    } finally {
      if (this.#waiting.length > 0) void this.#writes.run(() => this.#commitWaiting());
    }
  }

  /** Commits the appends together; if a value in one of them cannot be stored, one by one. */
  async #commitGroup(group: readonly WaitingAppend[]): Promise<void> {
    const spans = group.flatMap((append) => append.spans);
    try {
      const storedSpans = await this.#commit(spans);
      this.#counts.receivedSpans += spans.length;
      this.#counts.storedSpans += storedSpans;
      this.#reportProblem(undefined);
    } catch (error) {
      if (isDamage(error)) this.#hasDamage = true;
      await this.#letGo();
      if (!isStorageFailure(error) && group.length > 1) {
        for (const append of group) await this.#commitGroup([append]);
        return;
      }
      this.#counts.refusedSpans += spans.length;
      const failure = isStorageFailure(error) ? unwritable(this.path, error) : unstorable(error);
      if (failure.code === 'STORE_UNWRITABLE') this.#reportProblem(failure.message);
      for (const append of group) append.reject(failure);
      return;
    }
    for (const append of group) append.resolve();
  }

  /** Reports once that spans cannot be stored, and once that they can be again. */
  #reportProblem(problem: string | undefined): void {
    if ((problem === undefined) !== (this.#problem === undefined)) {
      this.#options.onNotice?.(
        problem === undefined
          ? 'spans are stored again'
          : `${problem}. Spans are refused with status 503 until it is over, so that senders try again`,
      );
    }
    this.#problem = problem;
  }

  /** Returns how many rows were written. */
  async #commit(spans: readonly SpanRecord[]): Promise<number> {
    const open = await this.#reopened();
    const { connection, appender, resources, steps, file } = open;
    const { yieldToQuestions = async () => undefined } = this.#options;
    await yieldToQuestions();
    file.check();
    const { inserted, replacing } = await deduplicate(spans, this.#known, connection);
    if (inserted.length === 0) return 0;
    await connection.run('BEGIN');
    await steps.learn(inserted);
    const stored = inserted.map((record) => ({
      record,
      resourceId: resources.idOf(record),
      stepId: steps.idOf(record),
      arrival: open.nextArrival++,
    }));
    await resources.insertNew(connection);
    await deleteStored(replacing, connection);
    await appender.append(stored, yieldToQuestions);
    if (open.lookedUpUntil !== null) {
      await yieldToQuestions();
      open.lookedUpUntil = await lookUpWholeSlices(connection, open.lookedUpUntil, open.nextArrival);
      await yieldToQuestions();
      open.summedUpUntil = await sumUpWholeSlices(connection, open.summedUpUntil, open.nextArrival);
    }
    await yieldToQuestions();
    await connection.run('COMMIT');
    file.check();
    // Without a log at the path, the rows may be in a deleted one; a checkpoint writes them to the file either way.
    if (!file.hasLog()) {
      await checkpoint(connection);
      file.hasLog();
    }
    this.#replacedSpans?.push(
      ...replacing.map((span) => ({ traceId: idNumber(span.traceId), spanId: idNumber(span.spanId) })),
    );
    return inserted.length;
  }

  async #openedInTurn(): Promise<OpenStore> {
    let open: OpenStore | undefined;
    try {
      await this.#writes.run(async () => {
        open = await this.#reopened();
      });
    } catch (error) {
      throw unwritable(this.path, error);
    }
    return open!;
  }

  async #reopened(): Promise<OpenStore> {
    if (this.#isClosed) throw new Error('it has been closed');
    if (this.#open === undefined) {
      const id = fileIdOf(this.path);
      this.#open = await openForWriting(this.path, this.#options);
      // Another file holds other spans than the filter knows.
      if (id !== this.#fileId) {
        this.#known = (await readKnownSpanIds(this.#open.connection)).known;
        this.#fileId = this.#open.file.id;
        this.#options.onNotice?.(
          `${this.path} is another file than before; spans are stored in this one now. Those stored before are lost, ` +
            'unless the file that held them was only moved: then it still has them',
        );
        await this.#reportFiles([this.#fileId]);
      }
    }
    return this.#open;
  }

  /** Reports which files may be at the store's path. */
  async #reportFiles(fileIds: (string | undefined)[]): Promise<void> {
    try {
      await this.#options.onFileChange?.(fileIds.filter((id) => id !== undefined));
    } catch (error) {
      this.#options.onNotice?.(`other commands may not find this back end: ${(error as Error).message}`);
    }
  }

  /** Closes everything; a database that has failed refuses all further work, so only a new one helps. */
  async #letGo(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await release(open);
  }
}

/**
 * Closes a database without touching its file: the content of its log is read from the log later, or is already
 * elsewhere.
 */
async function release({ appender, connection, database }: OpenStore): Promise<void> {
  try {
    appender.close();
  } catch {
    // Closing flushes what a failed transaction left, and fails again; those rows were never acknowledged.
  }
  connection.closeSync();
  await database.close(true);
}

async function keepAside(path: string, keptAs: string): Promise<void> {
  if (existsSync(path)) await rename(path, keptAs);
  if (existsSync(logOf(path))) await rename(logOf(path), logOf(keptAs));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LocalError } from '../local-error.ts';

/** How to open a {@link Database}. */
export interface DatabaseOptions {
  isReadOnly: boolean;
  /** Most memory that DuckDB takes for its pages and its work; beyond it, it spills to a folder beside the file. */
  memoryLimitBytes: number;
}

/** Most connections lent at one time; who comes later waits. */
const MAX_CONNECTIONS = 4;

/** One opened DuckDB file, and the connections to it. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  readonly #waiting: (() => void)[] = [];
  #lent = 0;
  #isClosed = false;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /** @throws {@link LocalError} `STORE_LOCKED`, `STORE_UNREADABLE` */
  static async open(path: string, options: DatabaseOptions): Promise<Database> {
    if (!options.isReadOnly) await mkdir(dirname(path), { recursive: true });
    try {
      return new Database(
        await DuckDBInstance.create(path, {
          access_mode: options.isReadOnly ? 'READ_ONLY' : 'READ_WRITE',
          memory_limit: `${Math.ceil(options.memoryLimitBytes / 1024)}KiB`,
          // Nothing is ever downloaded.
          autoinstall_known_extensions: 'false',
          autoload_known_extensions: 'false',
          preserve_insertion_order: 'false',
          // Up to so many values found on one side of a join choose the row groups that are read on the other.
          dynamic_or_filter_threshold: '1000',
          // For a new file. Small commits write a tenth faster than with the usual 256 KiB, and waste less space.
          default_block_size: '65536',
          // Four times the usual: the last, partly filled row group is written anew at each checkpoint, which made a
          // fifth of what taking a span costs. More would be dear too: until then the rows are in memory, and after a
          // crash they are read again, 60 MB in about a second.
          checkpoint_threshold: '64MB',
        }),
      );
    } catch (error) {
      throw explained(path, error);
    }
  }

  /** A connection of the caller's own; the caller closes it. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** Lends a connection to `use`, alone for as long as it runs. */
  async lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    while (this.#lent >= MAX_CONNECTIONS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) throw new LocalError('STORE_UNREADABLE', 'the store has been closed');
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

  /** Lets go of the file, once every connection lent has come back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#lent > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      // Others that wait shall learn of it too.
      this.#waiting.shift()?.();
    }
    for (const connection of this.#idle.splice(0)) connection.closeSync();
    this.#instance.closeSync();
  }
}

function explained(path: string, error: unknown): LocalError {
  const reason = (error as Error).message;
  if (/lock/i.test(reason)) {
    return new LocalError('STORE_LOCKED', `${path} is held by another process: ${reason}`, { cause: error });
  }
  return new LocalError('STORE_UNREADABLE', `${path} cannot be opened as a DuckDB file: ${reason}`, { cause: error });
}

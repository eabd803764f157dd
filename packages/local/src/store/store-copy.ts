import { chmodSync, closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type DuckDBConnection, LIST, listValue, UBIGINT, UHUGEINT } from '@duckdb/node-api';
import { BLOCK_BYTES, checkpoint, Database, isDamage, MAX_CHECKPOINT_BYTES, ROWS_PER_GROUP } from './database.ts';
import { LOOK_UP_TABLES, lookUpsOf } from './look-ups.ts';
import { migrate } from './migrations.ts';
import { sumUpWholeSlices } from './slice-summaries.ts';
import { logOf } from '../store-files.ts';

/** DuckDB's vector: the smallest number of rows that can be read separately. */
const ROWS_PER_VECTOR = 2_048;
/** Enough to create the tables; the instance that reads the rows writes them. */
const MAKING_MEMORY_BYTES = 32 * 1024 ** 2;

/** Tables, and the columns without which a row is useless; others become null when they cannot be read. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  spans: ['trace_id', 'span_id', 'start_ns', 'duration_ns', 'role', 'outcome', 'is_recovered', 'depth'],
  resources: ['resource_id'],
  steps: ['step_id', 'step'],
};

/** Spans get new numbers in order of arrival, without gaps: their position. */
const NUMBERED = 'REPLACE (rowid::UINTEGER AS arrival)';

/** A span that was stored again while the copy was made. */
export interface SpanKey {
  traceId: bigint;
  spanId: bigint;
}

/** How much of the copied tables could not be read. */
export interface CopyDamage {
  lostSpans: number;
  /** Spans that have lost a value, such as a text. */
  incompleteSpans: number;
}

/**
 * A copy of a store's rows in a new file, made while the store is written to: first most rows, then, while writes are
 * blocked, the rest and what has changed. It leaves out deleted rows, and names and resources that no row uses.
 *
 * Rows are found again by their position, which is stable while an older transaction is open.
 */
export class StoreCopy {
  readonly path: string;
  readonly damage: CopyDamage = { lostSpans: 0, incompleteSpans: 0 };
  readonly #connection: DuckDBConnection;
  /** Holds a transaction open. */
  readonly #holder: DuckDBConnection;
  readonly #checkpointThreshold: string;
  #copiedRows = 0;
  #summedUpUntil = 0;

  private constructor(
    path: string,
    connection: DuckDBConnection,
    holder: DuckDBConnection,
    checkpointThreshold: string,
  ) {
    this.#checkpointThreshold = checkpointThreshold;
    this.path = path;
    this.#connection = connection;
    this.#holder = holder;
  }

  /**
   * Starts a copy of `database` at `path`; an existing file is removed.
   * @param inTurn - runs work while nothing is written to the store
   */
  static async start(
    database: Database,
    path: string,
    inTurn: (work: () => Promise<void>) => Promise<void>,
  ): Promise<StoreCopy> {
    await rm(path, { force: true });
    await rm(logOf(path), { force: true });
    // Both files will hold texts, so only the owner may read them from the start.
    closeSync(openSync(logOf(path), 'a', 0o600));
    const made = await Database.open(path, { isReadOnly: false, memoryLimitBytes: MAKING_MEMORY_BYTES });
    chmodSync(path, 0o600);
    await made.lend((connection) => migrate(connection, path));
    await made.close();

    const connection = await database.connect();
    const holder = await database.connect();
    // A checkpoint rewrites the newest row group, and until the copy is done its old blocks are not freed, in the store
    // or in the copy: a small store would take twice its size. So none may be under way when the copy begins to read.
    await inTurn(async () => {
      await connection.run(`SET GLOBAL checkpoint_threshold = '${MAX_CHECKPOINT_BYTES / 1000}KB'`);
      await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS copy (BLOCK_SIZE ${BLOCK_BYTES})`);
      await holder.run('BEGIN');
      await holder.run('SELECT count(*) FROM spans');
    });
    return new StoreCopy(path, connection, holder, database.checkpointThreshold);
  }

  /** Copies the rows that were added since the last call, a row group at a time. */
  async copyRows(isStopped: () => boolean = () => false): Promise<void> {
    const end = await this.#number('SELECT coalesce(max(rowid) + 1, 0) FROM spans');
    while (this.#copiedRows < end && !isStopped()) {
      const until = Math.min(end, this.#copiedRows + ROWS_PER_GROUP);
      await this.#copySlice('spans', this.#copiedRows, until);
      this.#copiedRows = until;
      // Numbers are positions, so a slice is whole once so many rows are copied.
      this.#summedUpUntil = await sumUpWholeSlices(this.#connection, this.#summedUpUntil, until, 'copy.');
    }
  }

  /** Writes what has been copied to the file, so that the end is quick. */
  async checkpoint(): Promise<void> {
    await checkpoint(this.#connection, 'copy');
  }

  /**
   * Copies the rest. The caller must block writes to the store meanwhile.
   * @param replaced - Spans of which a stored copy was deleted and another written since the start.
   */
  async finish(replaced: readonly SpanKey[]): Promise<void> {
    await this.#copyReplaced(replaced);
    await this.copyRows();
    for (const [table, id] of [
      ['resources', 'resource_id'],
      ['steps', 'step_id'],
    ] as const) {
      const end = await this.#number(`SELECT coalesce(max(rowid) + 1, 0) FROM ${table}`);
      await this.#copySlice(table, 0, end, `AND ${id} IN (SELECT ${id} FROM copy.spans)`);
    }
    await this.#connection.run('DELETE FROM copy.upkeep');
    await this.#connection.run(
      'INSERT INTO copy.upkeep SELECT trusted_ns, jump_watched_ms, NULL, ' +
        '(SELECT coalesce(max(arrival)::BIGINT + 1, 0) FROM copy.spans) FROM upkeep',
    );
    await this.checkpoint();
    await this.#connection.run('DETACH copy');
    await this.#letGo();
    await rm(logOf(this.path), { force: true });
  }

  /** Aborts the copy, and removes its file. */
  async abandon(): Promise<void> {
    try {
      await this.#connection.run('DETACH copy');
    } catch {
      // Already detached, or the database has failed; the file is removed either way.
    }
    await this.#letGo();
    await rm(this.path, { force: true });
    await rm(logOf(this.path), { force: true });
  }

  async #letGo(): Promise<void> {
    try {
      await this.#holder.run('ROLLBACK');
      await this.#connection.run(`SET GLOBAL checkpoint_threshold = '${this.#checkpointThreshold}'`);
    } catch {
      // The database has failed, and is opened anew with its own settings.
    }
    this.#holder.closeSync();
    this.#connection.closeSync();
  }

  async #copyReplaced(replaced: readonly SpanKey[]): Promise<void> {
    if (replaced.length === 0) return;
    const values = {
      trace_ids: listValue(replaced.map(({ traceId }) => traceId)),
      span_ids: listValue(replaced.map(({ spanId }) => spanId)),
    };
    const types = { trace_ids: LIST(UHUGEINT), span_ids: LIST(UBIGINT) };
    const chosen = '(trace_id, span_id) IN (SELECT (unnest($trace_ids), unnest($span_ids)))';
    await this.#connection.run(`DELETE FROM copy.spans WHERE ${chosen}`, values, types);
    await this.#connection.run(
      `INSERT INTO copy.spans SELECT * ${NUMBERED} FROM spans WHERE ${chosen} AND rowid < ${this.#copiedRows}`,
      values,
      types,
    );
  }

  async #copySlice(table: string, from: number, until: number, condition = ''): Promise<void> {
    const rows = `FROM ${table} WHERE rowid >= ${from} AND rowid < ${until} ${condition}`;
    try {
      await this.#copyRowsOf(table, `SELECT * ${table === 'spans' ? NUMBERED : ''} ${rows}`);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#copyAroundDamage(table, from, until, condition);
    }
  }

  /** Leaves out the values, and at worst the rows, that cannot be read. */
  async #copyAroundDamage(table: string, from: number, until: number, condition: string): Promise<void> {
    if (until - from > ROWS_PER_VECTOR) {
      const vectors = Math.ceil((until - from) / ROWS_PER_VECTOR);
      const middle = from + Math.ceil(vectors / 2) * ROWS_PER_VECTOR;
      await this.#copySlice(table, from, middle, condition);
      await this.#copySlice(table, middle, until, condition);
      return;
    }
    const range = `FROM ${table} WHERE rowid >= ${from} AND rowid < ${until}`;
    const columns = await this.#columnsOf(table);
    const unreadable = new Set<string>();
    for (const column of columns) {
      if (!(await this.#canRead(`SELECT bit_xor(hash(${column})) ${range}`))) unreadable.add(column);
    }
    const rowCount = await this.#number(`SELECT count(*) ${range}`);
    if (TABLES[table]!.some((column) => unreadable.has(column))) {
      if (table === 'spans') this.damage.lostSpans += rowCount;
      return;
    }
    const selected = columns.map((column) => (unreadable.has(column) ? `NULL AS ${column}` : column));
    const rows = `SELECT ${selected.join(', ').replace(/(?:NULL AS )?\barrival\b/, 'rowid AS arrival')} ${range} ${condition}`;
    await this.#copyRowsOf(table, rows);
    if (table === 'spans') this.damage.incompleteSpans += rowCount;
  }

  /** Spans are looked up by their position in the store, which they keep in the copy as their number. */
  async #copyRowsOf(table: string, select: string): Promise<void> {
    // First what may be superfluous: when a part of the rows cannot be read, all of them are tried again.
    for (const lookUps of table === 'spans' ? LOOK_UP_TABLES : []) {
      await this.#connection.run(`INSERT INTO copy.${lookUps} ${lookUpsOf(lookUps, `(${select})`)}`);
    }
    await this.#connection.run(`INSERT INTO copy.${table} ${select}`);
  }

  async #canRead(sql: string): Promise<boolean> {
    try {
      await this.#connection.run(sql);
      return true;
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  async #columnsOf(table: string): Promise<string[]> {
    const reader = await this.#connection.runAndReadAll(
      'SELECT column_name FROM duckdb_columns() ' +
        'WHERE database_name = current_database() AND table_name = $table ORDER BY column_index',
      { table },
    );
    return reader.getRows().map(([name]) => name as string);
  }

  async #number(sql: string): Promise<number> {
    return Number((await this.#connection.runAndReadAll(sql)).getRows()[0]![0]);
  }
}

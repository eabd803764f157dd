import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Window } from '@convotel/query';
import type { SpanRow } from '../store/span-row.ts';
import { sqlFile } from '../store/sql-file.ts';

/** Earliest and latest time that a store can hold, in Unix nanoseconds. */
const EARLIEST_NS = 0n;
const LATEST_NS = 2n ** 63n - 1n;

/** Values and, where they do not tell, types of the parameters of a statement, by name. */
export interface Parameters {
  values: Record<string, DuckDBValue>;
  types?: Record<string, DuckDBType>;
}

/** One question being asked: its statements see the store as it was when the first began. */
export class Asking {
  readonly connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  /** The rows that `sql/<name>.sql` selects, as objects by column name. */
  async rows(name: string, { values, types }: Parameters): Promise<SpanRow[]> {
    const reader = await this.connection.runAndReadAll(sqlFile(name), values, types);
    return reader.getRowObjects();
  }

  /** The columns that `sql/<name>.sql` selects, as arrays by column name. */
  async columns(name: string, { values, types }: Parameters): Promise<Record<string, DuckDBValue[]>> {
    const reader = await this.connection.runAndReadAll(sqlFile(name), values, types);
    const columns: Record<string, DuckDBValue[]> = reader.getColumnsObject();
    // A result without rows comes without columns too.
    for (const column of reader.columnNames()) columns[column] ??= [];
    return columns;
  }
}

/** The parameters `$since_ns` and `$until_ns` of a window; without one, everything is in it. */
export function windowValues(window: Window | undefined): { since_ns: bigint; until_ns: bigint } {
  return {
    since_ns: window === undefined ? EARLIEST_NS : clamped(window.sinceUnixNano),
    until_ns: window === undefined ? LATEST_NS : clamped(window.untilUnixNano),
  };
}

function clamped(unixNano: bigint): bigint {
  return unixNano < EARLIEST_NS ? EARLIEST_NS : unixNano > LATEST_NS ? LATEST_NS : unixNano;
}

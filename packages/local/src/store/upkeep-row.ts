import type { DuckDBConnection } from '@duckdb/node-api';

/** The one row of the table `upkeep`: what the upkeep of a store remembers from one start to the next. */
export interface UpkeepRow {
  /** The time that is believed, in Unix nanoseconds; null in a new store. */
  trusted_ns: bigint | null;
  /** For how long a clock that has jumped has been watched. */
  jump_watched_ms: bigint;
  /** Since when the file holds deleted rows, in Unix nanoseconds. */
  unreclaimed_since_ns: bigint | null;
  /** Spans with a lower number of arrival are in the tables of look-ups; null if these do not exist yet. */
  looked_up_until: number | null;
}

const COLUMNS = ['trusted_ns', 'jump_watched_ms', 'unreclaimed_since_ns', 'looked_up_until'] as const;

/**
 * Changes the row, as part of the connection's transaction, by writing a new one: after an UPDATE, DuckDB makes no
 * checkpoint until every question that was being answered then has its answer.
 * @param changed - the new values of some columns, from all that there were
 */
export async function changeUpkeepRow(
  connection: DuckDBConnection,
  changed: (row: UpkeepRow) => Partial<UpkeepRow>,
): Promise<void> {
  const columns = COLUMNS.join(', ');
  const reader = await connection.runAndReadAll(`SELECT ${columns} FROM upkeep`);
  const row = reader.getRowObjects()[0] as unknown as UpkeepRow;
  const changes = changed(row);
  if (COLUMNS.every((column) => changes[column] === undefined || changes[column] === row[column])) return;
  await connection.run('DELETE FROM upkeep');
  const values = { ...row, ...changes };
  await connection.run(
    `INSERT INTO upkeep (${columns}) VALUES (${COLUMNS.map((column) => String(values[column] ?? 'NULL')).join(', ')})`,
  );
}

/** Records that the file holds deleted rows from now on, unless it already does. */
export function noteUnreclaimed(connection: DuckDBConnection, nowMs: number): Promise<void> {
  return changeUpkeepRow(connection, ({ unreclaimed_since_ns: since }) => ({
    unreclaimed_since_ns: since ?? BigInt(nowMs) * 1_000_000n,
  }));
}

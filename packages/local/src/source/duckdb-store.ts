import type { ConversationFilters } from '@convotel/query';
import type { RowReaders, SqlRow, SqlStore, SqlValue, StatementName } from '@convotel/query/engine';
import {
  type DuckDBConnection,
  DuckDBListValue,
  type DuckDBType,
  type DuckDBValue,
  DOUBLE,
  LIST,
  listValue,
  UHUGEINT,
  VARCHAR,
} from '@duckdb/node-api';
import { idNumber, traceIdHex } from '../store/columns/ids.ts';
import { readSpanRow } from '../store/span-row.ts';
import { sqlFile } from '../store/sql-file.ts';

/** Types of the parameters whose values do not tell them: lists, what may be null, and ids. */
const PARAMETER_TYPES: Readonly<Record<string, DuckDBType>> = {
  trace_id: UHUGEINT,
  trace_ids: LIST(UHUGEINT),
  probabilities: LIST(DOUBLE),
  step: VARCHAR,
  service: VARCHAR,
  workflow: VARCHAR,
  session: VARCHAR,
  outcome: VARCHAR,
};

/** A trace id is a number of 128 bits in DuckDB. */
const READERS: RowReaders = {
  traceKey: idNumber,
  traceId: (key) => traceIdHex(key as bigint),
  span: readSpanRow,
};

/** The statements of `sql/` on one connection, within the transaction that is open on it. */
export class DuckDbStore implements SqlStore {
  readonly readers = READERS;
  readonly isFiltered: boolean;
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection, filters: ConversationFilters = {}) {
    this.#connection = connection;
    this.isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  }

  async rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]> {
    const reader = await this.#run(name, values);
    const rows: Record<string, unknown>[] = reader.getRowObjects();
    for (const row of rows) {
      for (const column in row) {
        const value = row[column];
        if (value instanceof DuckDBListValue) row[column] = value.items;
      }
    }
    return rows;
  }

  async columns(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
  ): Promise<Record<string, readonly unknown[]>> {
    const reader = await this.#run(name, values);
    const columns: Record<string, DuckDBValue[]> = reader.getColumnsObject();
    // A result without rows comes without columns too.
    for (const column of reader.columnNames()) columns[column] ??= [];
    return columns;
  }

  #run(name: StatementName, values: Readonly<Record<string, SqlValue>>): ReturnType<DuckDBConnection['runAndReadAll']> {
    return runAndRead(this.#connection, sqlFile(name), values);
  }
}

/**
 * Puts a view in front of `readable_spans` that shows only the conversations which `filters` choose, whole. It is gone
 * with the transaction. Without filters the store's own view stays, which costs nothing.
 */
export async function narrowToChosen(connection: DuckDBConnection, filters: ConversationFilters = {}): Promise<void> {
  const { service = null, workflow = null, session = null, outcome = null } = filters;
  if ([service, workflow, session, outcome].every((filter) => filter === null)) return;
  await connection.run('CREATE TEMP TABLE chosen (trace_id UHUGEINT)');
  await runAndRead(connection, `INSERT INTO chosen ${sqlFile('chosen-conversations')}`, {
    service,
    workflow,
    session,
    outcome,
  });
  await connection.run(
    'CREATE TEMP VIEW readable_spans AS SELECT rowid AS row_id, * FROM main.spans WHERE trace_id IN (SELECT trace_id FROM chosen)',
  );
}

function runAndRead(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): ReturnType<DuckDBConnection['runAndReadAll']> {
  const bound: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(values)) {
    bound[name] = Array.isArray(value) ? listValue([...(value as DuckDBValue[])]) : (value as DuckDBValue);
    const type = PARAMETER_TYPES[name];
    if (type !== undefined) types[name] = type;
  }
  return connection.runAndReadAll(sql, bound, types);
}

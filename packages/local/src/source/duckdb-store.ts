import type { ConversationFilters } from '@convotel/query';
import { windowValues } from '@convotel/query/engine';
import type { FoldedNames, RowReaders, SqlRow, SqlStore, SqlValue, StatementName } from '@convotel/query/engine';
import {
  type DuckDBConnection,
  DuckDBListValue,
  type DuckDBType,
  type DuckDBValue,
  DOUBLE,
  LIST,
  UINTEGER,
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

  async foldStepNames({
    window,
    maxNames,
    other,
    wholeConversations,
  }: Parameters<SqlStore['foldStepNames']>[0]): Promise<FoldedNames | undefined> {
    // Few stores have that many names at all, and finding this out costs nothing.
    const [[names] = []] = (await this.#connection.runAndReadAll('SELECT count(*) FROM steps')).getRows();
    if (Number(names) <= maxNames) return undefined;
    const values = {
      ...windowValues(window),
      whole_conversations: wholeConversations,
      other,
      row_limit: BigInt(maxNames),
    };
    const reader = await runAndRead(this.#connection, sqlFile('step-names'), values);
    const rows = reader.getRowObjects();
    const folded = Number(rows[0]?.['names'] ?? 0) - rows.length;
    if (folded <= 0) return undefined;
    await showOnly(
      this.#connection,
      rows.map((row) => row['step_id'] as number),
      other,
      this.isFiltered,
    );
    return { kept: new Set(rows.map((row) => row['step'] as string)), folded };
  }

  rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
  rows<Item>(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => Item,
  ): Promise<Item[]>;
  async rows(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => unknown = (row) => ({ ...row }),
  ): Promise<unknown[]> {
    const { bound, types } = parametersOf(values);
    const result = await this.#connection.run(sqlFile(name), bound, types);
    const names = result.deduplicatedColumnNames();
    const items: unknown[] = [];
    const row: Record<string, unknown> = {};
    // Some thousand rows at a time; in between, other work of the event loop has its turn.
    for await (const chunk of result) {
      const vectors = names.map((_name, column) => chunk.getColumnVector(column));
      for (let index = 0; index < chunk.rowCount; index++) {
        for (let column = 0; column < names.length; column++) {
          const value = vectors[column]!.getItem(index);
          row[names[column]!] = value instanceof DuckDBListValue ? value.items : value;
        }
        items.push(read(row));
      }
    }
    return items;
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
    `CREATE TEMP VIEW readable_spans AS SELECT rowid AS row_id, * FROM main.spans WHERE ${IS_CHOSEN}`,
  );
}

const IS_CHOSEN = 'trace_id IN (SELECT trace_id FROM chosen)';

/** The number of all steps that are not told apart: the largest there is, which no step gets. */
const OTHER_STEPS_ID = 4_294_967_295;

/**
 * Puts others in front of `readable_spans` and `steps`, in which all steps but `keptIds` are one, called `other`. They are
 * gone with the transaction.
 */
async function showOnly(
  connection: DuckDBConnection,
  keptIds: readonly number[],
  other: string,
  isFiltered: boolean,
): Promise<void> {
  await connection.run(
    'CREATE TEMP TABLE kept_steps AS SELECT unnest($kept_ids) AS step_id',
    {
      kept_ids: listValue([...keptIds]),
    },
    { kept_ids: LIST(UINTEGER) },
  );
  await connection.run(`CREATE OR REPLACE TEMP VIEW readable_spans AS
    SELECT rowid AS row_id, * REPLACE (
      CASE WHEN step_id = 0 OR step_id IN (SELECT step_id FROM kept_steps) THEN step_id
        WHEN step_id IS NOT NULL THEN ${OTHER_STEPS_ID}::UINTEGER END AS step_id
    )
    FROM main.spans${isFiltered ? ` WHERE ${IS_CHOSEN}` : ''}`);
  await connection.run(
    `CREATE TEMP TABLE steps AS
    SELECT step_id, step FROM steps WHERE step_id IN (SELECT step_id FROM kept_steps)
    UNION ALL SELECT ${OTHER_STEPS_ID}::UINTEGER, $other::VARCHAR`,
    { other },
  );
}

function runAndRead(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): ReturnType<DuckDBConnection['runAndReadAll']> {
  const { bound, types } = parametersOf(values);
  return connection.runAndReadAll(sql, bound, types);
}

function parametersOf(values: Readonly<Record<string, SqlValue>>): {
  bound: Record<string, DuckDBValue>;
  types: Record<string, DuckDBType>;
} {
  const bound: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(values)) {
    bound[name] = Array.isArray(value) ? listValue([...(value as DuckDBValue[])]) : (value as DuckDBValue);
    const type = PARAMETER_TYPES[name];
    if (type !== undefined) types[name] = type;
  }
  return { bound, types };
}

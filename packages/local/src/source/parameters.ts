import type { SqlValue } from '@convotel/query/engine';
import {
  type DuckDBConnection,
  type DuckDBResult,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  UHUGEINT,
  listValue,
} from '@duckdb/node-api';

/** Types of the parameters that DuckDB cannot infer from their values: lists and ids. */
const PARAMETER_TYPES: Readonly<Record<string, DuckDBType>> = {
  trace_id: UHUGEINT,
  trace_ids: LIST(UHUGEINT),
  probabilities: LIST(DOUBLE),
};

/** Parameters with numbers that are too large for a literal. */
const WIDE_NUMBERS: ReadonlySet<string> = new Set(['trace_id']);

/**
 * Runs `sql` with `values`. Numbers and nulls are written into the statement: DuckDB plans a statement with parameters twice,
 * the first time without knowing what it compares with.
 */
export function runWith(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): Promise<DuckDBResult> {
  let text = sql;
  const bound: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === null || (typeof value !== 'string' && typeof value !== 'object' && !WIDE_NUMBERS.has(name))) {
      text = text.replaceAll(new RegExp(`\\$${name}\\b`, 'g'), String(value));
    } else {
      bound[name] = typeof value === 'object' ? listValue([...value]) : value;
      const type = PARAMETER_TYPES[name];
      if (type !== undefined) types[name] = type;
    }
  }
  return Object.keys(bound).length === 0 ? connection.run(text) : connection.run(text, bound, types);
}

/** Runs `sql` like {@link runWith}, and reads all rows. */
export async function readRows(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>> = {},
): Promise<DuckDBValue[][]> {
  return (await runWith(connection, sql, values)).getRows();
}

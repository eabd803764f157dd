import type { SqlRow, SqlValue } from '@convotel/query/engine';
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
import { partsOf } from '../store/column-reader.ts';

/** Types of the parameters that DuckDB cannot infer from their values: lists and ids. */
const PARAMETER_TYPES: Readonly<Record<string, DuckDBType>> = {
  trace_id: UHUGEINT,
  trace_ids: LIST(UHUGEINT),
  probabilities: LIST(DOUBLE),
};

/** A longer list is bound: reading it as a part of the statement would take longer than planning twice. */
const MAX_WRITTEN_ITEMS = 500;

/**
 * Runs `sql` with `values`. Those without text are written into the statement: DuckDB plans a statement with parameters
 * twice, the first time without knowing what it compares with. Without probabilities, quantiles are null.
 */
export function runWith(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): Promise<DuckDBResult> {
  const { text, bound, types } = withValues(sql, values);
  return bound === undefined ? connection.run(text) : connection.run(text, bound, types);
}

/**
 * Runs `sql` like {@link runWith}, bit by bit as the rows are read: to keep very many first takes longer than to find them.
 * The connection must not be used until all are read.
 */
export function streamWith(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): Promise<DuckDBResult> {
  const { text, bound, types } = withValues(sql, values);
  return bound === undefined ? connection.stream(text) : connection.stream(text, bound, types);
}

/** The statement with the values that are written into it, and those that are bound; undefined if none is. */
function withValues(
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): { text: string; bound: Record<string, DuckDBValue> | undefined; types: Record<string, DuckDBType> } {
  let text = sql;
  const bound: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(values)) {
    if (name === 'probabilities' && (value as readonly number[]).length === 0) {
      // DuckDB takes at least one. Any other aggregate, because the statement needs one.
      text = text.replaceAll(/quantile_cont\(\w+, \$probabilities\)/g, 'any_value(NULL)');
      continue;
    }
    const type = PARAMETER_TYPES[name];
    const written = writtenOut(value, type);
    if (written !== undefined) {
      text = text.replaceAll(new RegExp(`\\$${name}\\b`, 'g'), written);
      continue;
    }
    bound[name] = typeof value === 'object' && value !== null ? listValue([...value]) : value;
    if (type !== undefined) types[name] = type;
  }
  return { text, bound: Object.keys(bound).length === 0 ? undefined : bound, types };
}

/** A value as an expression of SQL; undefined if it contains text, or too many items. */
function writtenOut(value: SqlValue, type: DuckDBType | undefined): string | undefined {
  if (typeof value === 'string') return undefined;
  // A number that is too large for a literal is read from text.
  if (type === undefined || value === null) return Array.isArray(value) ? undefined : String(value);
  if (!Array.isArray(value)) return `'${String(value)}'::${type.toString()}`;
  if (value.length > MAX_WRITTEN_ITEMS || value.some((item) => typeof item === 'string')) return undefined;
  return `[${value.map((item) => `'${item}'`).join(', ')}]::${type.toString()}`;
}

/** Runs `sql` like {@link runWith}, and reads all rows. */
export async function readRows(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>> = {},
): Promise<DuckDBValue[][]> {
  return (await runWith(connection, sql, values)).getRows();
}

/** Maps each row of `result` with `read`, which must not keep it. */
export async function readItems<Item>(result: DuckDBResult, read: (row: SqlRow) => Item): Promise<Item[]> {
  const items: Item[] = [];
  const row: Record<string, unknown> = {};
  for await (const { rowCount, columns } of partsOf(result)) {
    for (let index = 0; index < rowCount; index++) {
      for (const [column, { read: readValue }] of columns) row[column] = readValue(index);
      items.push(read(row));
    }
  }
  return items;
}

/** Those of `values` that `sql` has parameters for. */
export function valuesIn(sql: string, values: Readonly<Record<string, SqlValue>>): Record<string, SqlValue> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => new RegExp(`\\$${name}\\b`).test(sql)));
}

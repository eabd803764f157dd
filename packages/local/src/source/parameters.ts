import type { SqlValue } from '@convotel/query/engine';
import {
  type DuckDBConnection,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  UHUGEINT,
  VARCHAR,
  listValue,
} from '@duckdb/node-api';

/** Types of the parameters that DuckDB cannot infer from their values: lists, nullable ones, and ids. */
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

/** `values` as DuckDB binds them. */
export function parametersOf(values: Readonly<Record<string, SqlValue>>): {
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

/** Runs `sql` with `values`, and reads all of its result. */
export function runAndRead(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlValue>>,
): ReturnType<DuckDBConnection['runAndReadAll']> {
  const { bound, types } = parametersOf(values);
  return connection.runAndReadAll(sql, bound, types);
}

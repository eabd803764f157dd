import { ATTRIBUTE } from '@convotel/conventions';
import type { ConversationFilters } from '@convotel/query';
import { SPAN_FIELDS, windowValues } from '@convotel/query/engine';
import type {
  FoldedNames,
  RowReaders,
  SpanField,
  SqlRow,
  SqlStore,
  SqlValue,
  StatementName,
} from '@convotel/query/engine';
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
import { idNumber, traceIdHex } from '../store/columns.ts';
import { readSpanRow } from '../store/span-rows.ts';
import { sqlFile } from '../store/database.ts';

/** Types of the parameters that DuckDB cannot infer from their values: lists, nullable ones, and ids. */
const PARAMETER_TYPES: Readonly<Record<string, DuckDBType>> = {
  trace_id: UHUGEINT,
  trace_ids: LIST(UHUGEINT),
  probabilities: LIST(DOUBLE),
  group_values: LIST(VARCHAR),
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
  #shown: Shown;

  constructor(connection: DuckDBConnection, filters: ConversationFilters = {}) {
    this.#connection = connection;
    this.isFiltered = Object.values(filters).some((filter) => filter !== undefined);
    this.#shown = { isChosen: this.isFiltered, isGrouped: false, isFolded: false };
  }

  async foldStepNames({
    window,
    maxNames,
    other,
    wholeConversations,
  }: Parameters<SqlStore['foldStepNames']>[0]): Promise<FoldedNames | undefined> {
    // Few stores have that many names at all, and the check costs nothing.
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
    const keptIds = rows.map((row) => row['step_id'] as number);
    await foldSteps(this.#connection, keptIds, other);
    await this.#show({ isFolded: true });
    return { kept: new Set(rows.map((row) => row['step'] as string)), folded };
  }

  async groupSpans({ window, groupBy: { attribute, values } }: Parameters<SqlStore['groupSpans']>[0]): Promise<void> {
    const { own, ofResource } = columnsOf(attribute);
    const statement = sqlFile('span-groups').replace('own_column, ', () => `${own}, `);
    await runAndRead(
      this.#connection,
      `CREATE TEMP TABLE span_groups AS ${statement.replace('resource_column, ', () => `${ofResource}, `)}`,
      { ...windowValues(window), attribute, entry: `"key":${JSON.stringify(attribute)}`, group_values: values },
    );
    await this.#show({ isGrouped: true });
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
    // Some thousand rows at a time, so that the event loop can do other work in between.
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
    // A result without rows has no columns either.
    for (const column of reader.columnNames()) columns[column] ??= [];
    return columns;
  }

  async #show(more: Partial<Shown>): Promise<void> {
    this.#shown = { ...this.#shown, ...more };
    await show(this.#connection, this.#shown);
  }

  #run(name: StatementName, values: Readonly<Record<string, SqlValue>>): ReturnType<DuckDBConnection['runAndReadAll']> {
    return runAndRead(this.#connection, sqlFile(name), values);
  }
}

/** Which spans the statements see; each part is a temporary table that ends with the transaction. */
interface Shown {
  /** Only the conversations in `chosen`. */
  isChosen: boolean;
  /** The groups in `span_groups`. */
  isGrouped: boolean;
  /** The steps in `kept_steps`, and all others as one. */
  isFolded: boolean;
}

/** Shadows `readable_spans` with a view until the transaction ends. */
async function show(connection: DuckDBConnection, { isChosen, isGrouped, isFolded }: Shown): Promise<void> {
  const replaced = `REPLACE (
    CASE WHEN step_id = 0 OR step_id IN (SELECT step_id FROM kept_steps) THEN step_id
      WHEN step_id IS NOT NULL THEN ${OTHER_STEPS_ID}::UINTEGER END AS step_id
  )`;
  await connection.run(`CREATE OR REPLACE TEMP VIEW readable_spans AS
    SELECT spans.rowid AS row_id, spans.* ${isFolded ? replaced : ''}, ${isGrouped ? GROUPS : '0::UTINYINT AS group_id'}
    FROM main.spans ${isGrouped ? 'LEFT JOIN span_groups ON span_groups.row_id = spans.rowid' : ''}
    ${isChosen ? 'WHERE trace_id IN (SELECT trace_id FROM chosen)' : ''}`);
}

const GROUPS = 'span_groups.group_id, span_groups.attribute_value';

/** Restricts the statements to the conversations that match `filters`, whole. */
export async function narrowToChosen(connection: DuckDBConnection, filters: ConversationFilters = {}): Promise<void> {
  const { service = null, workflow = null, session = null, outcome = null } = filters;
  const isChosen = [service, workflow, session, outcome].some((filter) => filter !== null);
  if (isChosen) {
    await connection.run('CREATE TEMP TABLE chosen (trace_id UHUGEINT)');
    const values = { service, workflow, session, outcome };
    await runAndRead(connection, `INSERT INTO chosen ${sqlFile('chosen-conversations')}`, values);
  }
  await show(connection, { isChosen, isGrouped: false, isFolded: false });
}

/** The id of all steps that are folded into one: the largest value, which no step gets. */
const OTHER_STEPS_ID = 4_294_967_295;

/** Shadows `steps` with a table in which all steps except `keptIds` are one, called `other`. */
async function foldSteps(connection: DuckDBConnection, keptIds: readonly number[], other: string): Promise<void> {
  await connection.run(
    'CREATE TEMP TABLE kept_steps AS SELECT unnest($kept_ids) AS step_id',
    { kept_ids: listValue([...keptIds]) },
    { kept_ids: LIST(UINTEGER) },
  );
  await connection.run(
    `CREATE TEMP TABLE steps AS
    SELECT step_id, step FROM steps WHERE step_id IN (SELECT step_id FROM kept_steps)
    UNION ALL SELECT ${OTHER_STEPS_ID}::UINTEGER, $other::VARCHAR`,
    { other },
  );
}

/** The columns of `spans` and `resources` that hold `attribute`, as text; `NULL` where there is none. */
function columnsOf(attribute: string): { own: string; ofResource: string } {
  const field = SPAN_FIELDS.find((each) => each.attribute === attribute);
  const textOf = ({ kind, column }: SpanField): string => {
    if (kind === 'text') return column;
    // An outermost step has no depth attribute; numbers are written as JavaScript writes them.
    return `regexp_replace(${column === 'depth' ? 'nullif(depth, 0)' : column}::VARCHAR, '\\.0$', '')`;
  };
  const own = field === undefined ? 'NULL' : attribute === ATTRIBUTE.stepName ? STEP_NAME : textOf(field);
  return {
    own: attribute === ATTRIBUTE.outcome ? 'outcome::VARCHAR' : own,
    ofResource: RESOURCE_COLUMNS.get(attribute) ?? 'NULL',
  };
}

const STEP_NAME = '(SELECT any_value(step) FROM steps WHERE steps.step_id = readable_spans.step_id)';
const RESOURCE_COLUMNS: ReadonlyMap<string, string> = new Map([
  [ATTRIBUTE.serviceName, 'service_name'],
  [ATTRIBUTE.samplingRatio, "regexp_replace(sampling_ratio::VARCHAR, '\\.0$', '')"],
]);

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

import { ATTRIBUTE } from '@convotel/conventions';
import type { ConversationFilters, GroupBy, Window } from '@convotel/query';
import { SPAN_FIELDS, noGroup, windowValues } from '@convotel/query/engine';
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
  type DuckDBType,
  type DuckDBValue,
  DOUBLE,
  LIST,
  UINTEGER,
  listValue,
  UHUGEINT,
  VARCHAR,
} from '@duckdb/node-api';
import { columnReader } from './column-reader.ts';
import { idNumber, traceIdHex } from '../store/columns.ts';
import { readSpanRow, spanRowReader } from '../store/span-rows.ts';
import { sqlFile } from '../store/database.ts';

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

/** The statements of `sql/` on one connection, within the transaction that is open on it. */
export class DuckDbStore implements SqlStore {
  /** A trace id is a number of 128 bits in DuckDB. */
  readonly readers: RowReaders = {
    traceKey: idNumber,
    traceId: (key) => traceIdHex(key as bigint),
    span: (row) => this.#readSpan(row),
  };
  readonly isFiltered: boolean;
  readonly #connection: DuckDBConnection;
  #shown: Shown;
  /** Reads spans from the rows that `rows` is at. */
  #readSpan = readSpanRow;

  constructor(connection: DuckDBConnection, filters: ConversationFilters = {}) {
    this.#connection = connection;
    this.isFiltered = Object.values(filters).some((filter) => filter !== undefined);
    this.#shown = { isChosen: this.isFiltered, grouping: undefined, isFolded: false };
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

  async groupSpans({ window, groupBy }: Parameters<SqlStore['groupSpans']>[0]): Promise<void> {
    await this.#show({ grouping: await prepareGroups(this.#connection, window, groupBy) });
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
    const { bound, types: boundTypes } = parametersOf(values);
    const result = await this.#connection.run(sqlFile(name), bound, boundTypes);
    const names = result.deduplicatedColumnNames();
    const types = result.columnTypes().map(({ typeId }) => typeId);
    const items: unknown[] = [];
    const row: Record<string, unknown> = {};
    // Some thousand rows at a time, so that the event loop can do other work in between.
    for await (const chunk of result) {
      const filled = names.map((name, column) => ({ name, ...columnReader(chunk, column, types[column]!) }));
      for (const { name } of filled.filter(({ valuesIn }) => valuesIn === 'none')) row[name] = null;
      const namesOf = (rows: 'all' | 'some'): Set<string> =>
        new Set(filled.filter(({ valuesIn }) => valuesIn === rows).map(({ name }) => name));
      this.#readSpan = spanRowReader(namesOf('all'), namesOf('some'));
      const toRead = filled.filter(({ valuesIn }) => valuesIn !== 'none');
      const { rowCount } = chunk;
      for (let index = 0; index < rowCount; index++) {
        for (const { name, read: readValue } of toRead) row[name] = readValue(index);
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
  /** Without it, all spans are in group 0. */
  grouping: Grouping | undefined;
  /** The steps in `kept_steps`, and all others as one. */
  isFolded: boolean;
}

/** Where the values are that spans are grouped by, as SQL, with each one's number of a group: the first that there is. */
interface Grouping {
  /** The column of `spans` that holds the attribute, as text; `NULL` where none does. */
  own: string;
  /** The values, null or empty where there is none, the span's own first. */
  values: readonly string[];
  /**
   * The number of the group of each of `values`, or `otherwise` where that is null or empty. As `CASE` throughout: of other
   * functions DuckDB does not know how large their results may be, and aggregates by them with a slower hash table.
   */
  groups: readonly ((otherwise: string) => string)[];
  /** The group of spans without a value. */
  noGroup: number;
  joins: readonly string[];
}

/**
 * Puts views in front of the spans, which are gone with the transaction: `readable_spans`, and `grouped_spans`, which also
 * has `group_id` and `attribute_value` and costs more.
 */
async function show(connection: DuckDBConnection, { isChosen, grouping, isFolded }: Shown): Promise<void> {
  const replaced = `REPLACE (
    CASE WHEN step_id = 0 OR step_id IN (SELECT step_id FROM kept_steps) THEN step_id
      WHEN step_id IS NOT NULL THEN ${OTHER_STEPS_ID}::UINTEGER END AS step_id
  )`;
  const columns = `spans.rowid AS row_id, spans.* ${isFolded ? replaced : ''}`;
  const condition = isChosen ? 'WHERE trace_id IN (SELECT trace_id FROM chosen)' : '';
  await connection.run(`CREATE OR REPLACE TEMP VIEW readable_spans AS SELECT ${columns} FROM main.spans ${condition}`);
  if (grouping === undefined) {
    await connection.run(
      'CREATE OR REPLACE TEMP VIEW grouped_spans AS SELECT *, 0::UTINYINT AS group_id FROM readable_spans',
    );
    return;
  }
  const { own, values, groups, noGroup, joins } = grouping;
  await connection.run(`CREATE OR REPLACE TEMP VIEW grouped_spans AS
    SELECT
      ${columns.replace('spans.*', 'spans.* EXCLUDE (own_text)')},
      coalesce(${values.map((value) => `nullif(${value}, '')`).join(', ')}) AS attribute_value,
      ${groups.reduceRight((next, group) => group(next), `${noGroup}::UTINYINT`)} AS group_id
    FROM (SELECT rowid, *, ${own} AS own_text FROM main.spans ${condition}) AS spans
    ${joins.join(' ')}`);
}

/** From this part of the store on, everything is looked through: to find the conversations of a window takes longer. */
const LARGE_PART = 0.2;

/**
 * Finds the values of an attribute in the conversations with a step or root in `window`. What a column of the span holds
 * is read from there by each statement. Only what else there is becomes tables: what spans say in JSON, by row; what roots
 * say, by conversation, which makes most values by row superfluous; what resources say, unless all say the same. Joining
 * every span by row would take three times as long as the statements themselves.
 */
async function prepareGroups(
  connection: DuckDBConnection,
  window: Window,
  { attribute, values: groupValues }: GroupBy,
): Promise<Grouping> {
  const { own, ofResource } = columnsOf(attribute);
  const bounds = windowValues(window);
  const isWithin = `start_ns >= CAST(${bounds.since_ns} AS BIGINT) AND start_ns < CAST(${bounds.until_ns} AS BIGINT)`;
  const [[part] = []] = (
    await connection.runAndReadAll(`SELECT count(*) FILTER (${isWithin}) / count(*) FROM main.spans`)
  ).getRows();
  const seen = `SELECT trace_id FROM readable_spans WHERE step_id IS NOT NULL AND ${isWithin}`;
  await connection.run(`CREATE OR REPLACE TEMP VIEW spans_to_group AS SELECT * FROM readable_spans
    ${Number(part) < LARGE_PART ? `WHERE trace_id IN (${seen})` : ''}`);

  const groupOf = (column: string, otherwise = 'NULL::UTINYINT'): string =>
    `CASE ${groupValues.map((value, group) => `WHEN ${column} = ${sqlText(value)} THEN ${group}::UTINYINT`).join(' ')}
      WHEN ${column} <> '' THEN ${groupValues.length}::UTINYINT ELSE ${otherwise} END`;
  const make = async (table: string, select: string, values: Record<string, SqlValue> = {}): Promise<number> => {
    const created = await runAndRead(connection, `CREATE OR REPLACE TEMP TABLE ${table} AS ${select}`, values);
    return Number(created.getRows()[0]![0]);
  };
  const said = (name: string): string =>
    sqlFile(name)
      .replaceAll('own_column', () => own)
      .replaceAll('resource_column', () => ofResource);
  const found = { attribute, entry: `"key":${JSON.stringify(attribute)}` };

  if (own === STEP_NAME) await make('named_steps', 'SELECT * FROM steps');
  const grouping = { own, values: ['own_text'], groups: [] as Grouping['groups'][number][], joins: [] as string[] };
  if (own !== NO_COLUMN) grouping.groups.push((otherwise) => groupOf('own_text', otherwise));
  const add = (value: string, group: string, join?: string): void => {
    grouping.values.push(value);
    grouping.groups.push((otherwise) => `CASE WHEN ${group} IS NOT NULL THEN ${group} ELSE ${otherwise} END`);
    if (join !== undefined) grouping.joins.push(join);
  };
  const rows = await make('own_values', said('own-values'), found);
  const roots = await make(
    'root_values',
    `SELECT *, ${groupOf('root_value')} AS root_group FROM (${said('root-values')})`,
  );
  const kept =
    rows === 0
      ? 0
      : await make(
          'row_values',
          `SELECT row_id AS value_row_id, own_value, ${groupOf('own_value')} AS own_group
          FROM own_values LEFT JOIN root_values USING (trace_id)
          WHERE own_value IS DISTINCT FROM root_value`,
        );
  if (kept > 0) add('own_value', 'own_group', 'LEFT JOIN row_values ON value_row_id = spans.rowid');
  if (roots > 0) add('root_value', 'root_group', 'LEFT JOIN root_values USING (trace_id)');
  await make(
    'resource_values',
    `SELECT *, ${groupOf('resource_value')} AS resource_group FROM (${said('resource-values')})`,
    found,
  );
  const ofResources = (
    await connection.runAndReadAll('SELECT DISTINCT resource_value, resource_group FROM resource_values LIMIT 2')
  ).getRows();
  const [[value, group] = []] = ofResources;
  if (ofResources.length > 1) {
    add('resource_value', 'resource_group', 'LEFT JOIN resource_values USING (resource_id)');
  } else if (typeof value === 'string') {
    add(sqlText(value), `${String(group)}::UTINYINT`);
  }
  return { ...grouping, noGroup: noGroup(groupValues.length) };
}

/** A text as SQL, which a view takes no parameters for. */
function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll('\0', "' || chr(0) || '")}'`;
}

/** Restricts the statements to the conversations that match `filters`, whole. */
export async function narrowToChosen(connection: DuckDBConnection, filters: ConversationFilters = {}): Promise<void> {
  const { service = null, workflow = null, session = null, outcome = null } = filters;
  const isChosen = [service, workflow, session, outcome].some((filter) => filter !== null);
  if (isChosen) {
    await connection.run('CREATE TEMP TABLE chosen (trace_id UHUGEINT)');
    const values = { service, workflow, session, outcome };
    await runAndRead(connection, `INSERT INTO chosen ${sqlFile('chosen-conversations')}`, values);
  }
  await show(connection, { isChosen, grouping: undefined, isFolded: false });
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
  const own = field === undefined ? NO_COLUMN : attribute === ATTRIBUTE.stepName ? STEP_NAME : textOf(field);
  return {
    own: attribute === ATTRIBUTE.outcome ? 'outcome::VARCHAR' : own,
    ofResource: RESOURCE_COLUMNS.get(attribute) ?? 'NULL',
  };
}

const NO_COLUMN = 'NULL::VARCHAR';

/** Of the steps as they are before they are folded. */
const STEP_NAME = '(SELECT any_value(step) FROM named_steps WHERE named_steps.step_id = spans.step_id)';
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

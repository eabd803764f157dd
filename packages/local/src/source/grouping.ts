import { ATTRIBUTE } from '@convotel/conventions';
import type { GroupBy, Window } from '@convotel/query';
import { SPAN_FIELDS, noGroup, windowValues } from '@convotel/query/engine';
import type { SpanField, SqlValue } from '@convotel/query/engine';
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlFile } from '../store/database.ts';
import { readRows } from './parameters.ts';

/** Where the values are that spans are grouped by, as SQL, with each one's number of a group: the first that there is. */
export interface Grouping {
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

/** From this part of the store on, everything is looked through: to find the conversations of a window takes longer. */
const LARGE_PART = 0.2;

/**
 * Finds the values of an attribute in the conversations with a step or root in `window`. What a column of the span holds
 * is read from there by each statement. Only what else there is becomes tables: what spans say in JSON, by row; what roots
 * say, by conversation, which makes most values by row superfluous; what resources say, unless all say the same. Joining
 * every span by row would take three times as long as the statements themselves.
 * @param spanCount - how many spans are stored in all
 */
export async function prepareGroups(
  connection: DuckDBConnection,
  window: Window,
  { attribute, values: groupValues }: GroupBy,
  spanCount: number,
): Promise<Grouping> {
  const { own, ofResource } = columnsOf(attribute);
  const bounds = windowValues(window);
  const isWithin = `start_ns >= CAST(${bounds.since_ns} AS BIGINT) AND start_ns < CAST(${bounds.until_ns} AS BIGINT)`;
  // Of the spans in a window alone, DuckDB knows the number without reading those of whole row groups.
  const [[within] = []] = (
    await connection.runAndReadAll(`SELECT count(*) FROM main.spans WHERE ${isWithin}`)
  ).getRows();
  const seen = `SELECT trace_id FROM readable_spans WHERE step_id IS NOT NULL AND ${isWithin}`;
  await connection.run(`CREATE OR REPLACE TEMP VIEW spans_to_group AS SELECT * FROM readable_spans
    ${Number(within) < spanCount * LARGE_PART ? `WHERE trace_id IN (${seen})` : ''}`);

  const groupOf = (column: string, otherwise = 'NULL::UTINYINT'): string =>
    `CASE ${groupValues.map((value, group) => `WHEN ${column} = ${sqlText(value)} THEN ${group}::UTINYINT`).join(' ')}
      WHEN ${column} <> '' THEN ${groupValues.length}::UTINYINT ELSE ${otherwise} END`;
  const make = async (table: string, select: string, values: Record<string, SqlValue> = {}): Promise<number> => {
    const [[rows] = []] = await readRows(connection, `CREATE OR REPLACE TEMP TABLE ${table} AS ${select}`, values);
    return Number(rows);
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

import { readFileSync } from 'node:fs';
import { printable } from './escape.ts';

/** The subset of JSON Schema that is used by the schema of answers. */
interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: boolean | Schema;
  prefixItems?: Schema[];
}

interface AnswersSchema {
  $defs: Record<string, Schema> & { answers: Record<string, Schema> };
}

type Row = Record<string, unknown>;

/**
 * The rows of an answer as CSV (RFC 4180, but lines end with a line feed). Columns are the fields of the JSON, nested
 * ones joined by a dot. They are derived from the schema of the answer, so that they do not depend on the rows, except
 * for names in the data such as timings. An answer about one conversation has a row per step.
 */
export function formatCsv(report: { command: string; data: unknown }): string {
  const schema = JSON.parse(
    readFileSync(new URL('../../schema/answers.schema.json', import.meta.url), 'utf8'),
  ) as AnswersSchema;
  const resolve = (one: Schema): Schema => {
    const name = one.$ref?.replace('#/$defs/', '');
    return name === undefined ? one : resolve(schema.$defs[name] as Schema);
  };
  const { shape, rows } = rowsOf(
    resolve(schema.$defs.answers[report.command]?.properties?.['data'] ?? {}),
    report.data,
    resolve,
  );
  const columns = columnsOf(shape, rows, resolve);
  const lines = [columns, ...rows.map((row) => columns.map((column) => valueAt(row, column)))];
  return lines.map((cells) => `${cells.map(cellText).join(',')}\n`).join('');
}

/**
 * The rows of an answer and their schema: the answer if it is a list, else its steps or other list of objects, else the
 * answer as a single row.
 */
function rowsOf(data: Schema, value: unknown, resolve: (one: Schema) => Schema): { shape: Schema; rows: Row[] } {
  if (data.type === 'array') return { shape: resolve(data.items as Schema), rows: value as Row[] };
  const lists = Object.entries(data.properties ?? {}).filter(([name, field]) => {
    const { type, items } = resolve(field);
    // Without `--by`, an answer has no list of groups.
    if ((value as Row)[name] === undefined) return false;
    return type === 'array' && typeof items === 'object' && resolve(items).type === 'object';
  });
  const [name, list] = lists.find(([each]) => each === 'steps') ?? lists[0] ?? [];
  if (name === undefined || list === undefined) return { shape: data, rows: [value as Row] };
  const shape = resolve(resolve(list).items as Schema);
  const { conversationId } = value as Row;
  const rows = (value as Record<string, Row[]>)[name] ?? [];
  if (conversationId === undefined) return { shape, rows };
  return {
    shape: { ...shape, properties: { conversationId: {}, ...shape.properties } },
    rows: rows.map((row) => ({ conversationId, ...row })),
  };
}

/** The paths to all values that are not objects. */
function columnsOf(shape: Schema, rows: readonly unknown[], resolve: (one: Schema) => Schema): string[] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, field]) => {
    const inside = resolve(field);
    const values = rows.map((row) => (row as Row | undefined)?.[name]);
    if (inside.properties !== undefined) return prefixed(name, columnsOf(inside, values, resolve));
    if (inside.prefixItems !== undefined) return prefixed(name, Object.keys(inside.prefixItems));
    if (inside.type !== 'object') return [name];
    const names = new Set(values.flatMap((value) => Object.keys(value ?? {})));
    return prefixed(name, [...names].toSorted());
  });
}

function prefixed(name: string, columns: readonly string[]): string[] {
  return columns.map((column) => `${name}.${column}`);
}

/** Follows the path. Names may contain dots, so the longest matching name is used. */
function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Row)[path];
  const place = path.indexOf('.');
  if (place === -1) return undefined;
  return valueAt((value as Row)[path.slice(0, place)], path.slice(place + 1));
}

/**
 * Formats a value as a cell. Text that a spreadsheet would run as a formula is prefixed with an apostrophe, text with a
 * separator is quoted, and terminal control characters are escaped.
 */
function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return cellOfText(JSON.stringify(value), false);
  return cellOfText(value, /^[=+\-@]/.test(value));
}

function cellOfText(text: string, isFormula: boolean): string {
  const shown = printable(text);
  const guarded = isFormula ? `'${shown}` : shown;
  return /[",]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

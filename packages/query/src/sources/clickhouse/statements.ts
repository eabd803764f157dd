import { readFileSync } from 'node:fs';
import type { SqlRow, StatementName } from '../../engines/sql/sql-store.ts';
import { compareText } from '../../model/order.ts';
import type { AnyQuestion } from '../../questions.ts';
import type { TableKind } from './table.ts';

/** The statements of the engine, and those that only ClickHouse needs. */
export type ClickHouseStatement =
  | Exclude<StatementName, ReadByScan>
  | 'conversation-durations'
  | 'step-durations'
  | 'step-names'
  | 'step-name-count'
  | 'step-scan'
  | 'window';

/** Optional parts of statements. In the SQL files, their lines begin with a comment with this name. */
type StatementPart =
  | 'quantiles'
  | 'timings'
  | 'first-output'
  | 'span-ids'
  | 'without-span-ids'
  | 'duration'
  | 'response'
  | 'groups'
  | 'whole'
  | 'traits'
  | 'no-traits';

type FileName = ClickHouseStatement | 'chosen-conversations' | 'convotel-table' | 'exporter-table';

const IN_WINDOW = "Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {until:DateTime64(9, 'UTC')}";
/** Conversations in the window may begin before it and end after it, up to this distance. */
const IN_REACH = "Timestamp >= {reach_since:DateTime64(9, 'UTC')} AND Timestamp < {reach_until:DateTime64(9, 'UTC')}";

/** Matches the upper bound of a window condition. */
const END_OF_WINDOW = /Timestamp < \{(?:reach_)?until:[^}]*\}/g;

/**
 * Condition for a superset of the steps and roots, by which conversations are selected; the statements check exactly.
 */
const MAY_COUNT: Readonly<Record<TableKind, string>> = {
  convotel: "(Step != '' OR IsRoot)",
  exporter: "(SpanAttributes['conversation.step.name'] != '' OR SpanName = 'conversation')",
};

/** Condition for a superset of the roots. */
const MAY_BE_ROOT: Readonly<Record<TableKind, string>> = {
  convotel: 'IsRoot',
  exporter: "SpanName = 'conversation'",
};

/**
 * The spans that the statements read, by name, with the condition of the innermost query, so that no other spans are
 * read.
 */
function conditionsOf(kind: TableKind): Readonly<Record<string, string>> {
  return {
    window_spans: IN_WINDOW,
    // All conversations in the window, and others near it, which the statements filter out.
    reached_spans: IN_REACH,
    // Only conversations in the window. For few of them: a set of millions would be slower than reading all spans.
    touched_spans: `${IN_REACH} AND ${isTraceOf(`${IN_WINDOW} AND ${MAY_COUNT[kind]}`)}`,
    // From the start of the window on.
    following_spans: "Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {reach_until:DateTime64(9, 'UTC')}",
    traced_spans: 'TraceId IN {trace_ids:Array(String)}',
    carrying_spans:
      kind === 'convotel'
        ? 'CarriedId = {conversation_id:String}'
        : "SpanAttributes['conversation.id'] = {conversation_id:String}",
  };
}

/** Statements that read `touched_spans` of the whole window, which are many. */
const READ_WHOLE_WINDOW: ReadonlySet<ClickHouseStatement> = new Set(['step-names']);

function isTraceOf(condition: string): string {
  return `TraceId IN (SELECT TraceId FROM {table:Identifier} WHERE ${condition})`;
}

/** Properties of a question that determine the text of a statement. Values are always bound, never part of the text. */
export interface StatementShape {
  kind: TableKind;
  /** Whether only some of the conversations are selected. */
  isFiltered: boolean;
  /** Whether steps other than `kept_steps` are renamed to `other_step`. */
  isFolded: boolean;
  /** Whether spans have the value of `group_attribute` and the number of its group in `group_values`. */
  isGrouped: boolean;
  /** Whether only conversations with trace ids below `sample_below` are read. */
  isSampled: boolean;
  /** Number of probabilities, which are bound as `probability_0`, `probability_1`, … */
  probabilityCount: number;
  parts: readonly StatementPart[];
}

/** The text of a statement, preceded by the definition of the spans that it reads. */
export function statementText(name: ClickHouseStatement, shape: StatementShape): string {
  const text = wholeStatement(name, shape);
  // Within an hour, the table is sorted by trace id, so a range of trace ids reads only a fraction.
  return shape.isSampled ? text.replaceAll(END_OF_WINDOW, '$& AND TraceId < {sample_below:String}') : text;
}

function wholeStatement(
  name: ClickHouseStatement,
  { kind, isFiltered, isFolded, isGrouped, probabilityCount, parts }: StatementShape,
): string {
  const probabilities = Array.from({ length: probabilityCount }, (_, index) => `{probability_${index}:Float64}`);
  const statement = sqlFile(name)
    .replaceAll(/^ *\/\* (\S+) \*\/ .*\n/gm, (line, part: StatementPart) => (parts.includes(part) ? line : ''))
    // Without probabilities it stays at 0.5, because the function takes at least one.
    .replaceAll(/(quantilesExactInclusive(?:If)?)\(0\.5\)/g, `$1(${probabilities.join(', ') || '0.5'})`);
  const definitions: string[] = [];
  for (const [relation, condition] of Object.entries(conditionsOf(kind))) {
    if (!new RegExp(`\\b${relation}\\b`).test(statement)) continue;
    const isWindowed = /\{(?:reach_)?since:/.test(condition);
    const narrows = isFiltered && isWindowed;
    const chosen = narrows ? ' AND TraceId IN (SELECT trace_id FROM chosen)' : '';
    const hasFewSpans = relation === 'traced_spans' || (relation === 'touched_spans' && !READ_WHOLE_WINDOW.has(name));
    const mayHaveCopies = relation === 'carrying_spans' || name === 'step-name-count';
    const where = hasFewSpans ? fewSpansWhere : mayHaveCopies ? copiesWhere : spansWhere;
    const reader = statement + (isGrouped ? grouped(kind, '') : '') + (isFolded ? folded('') : '');
    const plain = where(kind, condition + chosen, reader);
    const spans = isGrouped ? grouped(kind, plain) : plain;
    definitions.push(`${relation} AS (\n${isFolded ? folded(spans) : spans})`);
    if (narrows && definitions.length === 1) {
      definitions.unshift(
        `candidate_spans AS (\n${spansWhere(kind, IN_REACH, sqlFile('chosen-conversations'))})`,
        `chosen AS (\n${sqlFile('chosen-conversations')})`,
      );
    }
  }
  const [comments, body] = splitComments(statement);
  if (definitions.length === 0) return statement;
  // A statement that has its own definitions continues our list.
  const own = body.startsWith('WITH ') ? `,\n${body.slice('WITH '.length)}` : `\n${body}`;
  return `${comments}WITH ${definitions.join(',\n')}${own}`;
}

/**
 * The spans of a table, with only the columns whose names occur in `reader`, the text that reads them: planning all
 * thirty takes the server longer than finding a conversation.
 */
function spansWhere(kind: TableKind, condition: string, reader: string): string {
  const [, select = '', rest = ''] = /^SELECT\n([^]*?\n)(FROM [^]*)$/.exec(splitComments(sqlFile(`${kind}-table`))[1])!;
  const columns = [...select.matchAll(/([^]*?\bAS (\w+)),?\n/g)]
    .filter(([, , name]) => new RegExp(`\\b${name}\\b`).test(reader))
    .map(([, column]) => column);
  return `SELECT\n${columns.join(',\n')}\n${rest.replace('WHERE true', () => `WHERE ${condition}`)}`;
}

/**
 * The spans of a few conversations. FINAL would search all parts of the table for duplicates; here, the statement keeps
 * the same row as FINAL: the one with the highest Version, else the one that was inserted last.
 */
function fewSpansWhere(kind: TableKind, condition: string, reader: string): string {
  const spans = spansWhere(kind, condition, reader);
  if (kind === 'exporter') return spans;
  return `${spans.replace(' FINAL\n', '\n')}ORDER BY Version DESC, toUInt64OrZero(splitByChar('_', _part)[2]) DESC, _part_offset DESC
LIMIT 1 BY TraceId, SpanId, Timestamp
`;
}

/** The spans with duplicates, for reading what duplicates have in common. */
function copiesWhere(kind: TableKind, condition: string, reader: string): string {
  return spansWhere(kind, condition, reader)
    .replace(' FINAL\n', '\n')
    .replace(/^ORDER BY [^]*/m, '');
}

/** Adds the value by which spans are grouped: their own, else that of a root, else that of their resource. */
function grouped(kind: TableKind, spans: string): string {
  const attribute = '{group_attribute:String}';
  const own = `if(${attribute} = 'conversation.outcome', outcome::String, attributes[${attribute}])`;
  return `SELECT
  * EXCEPT (group_id, rooted_id, root_value),
  nullIf(multiIf(${own} != '', ${own}, root_value != '', root_value, resource_attributes[${attribute}]), '') AS attribute_value,
  toUInt8(
    multiIf(
      attribute_value IS NULL, length({group_values:Array(String)}) + 1,
      has({group_values:Array(String)}, attribute_value), indexOf({group_values:Array(String)}, attribute_value) - 1,
      length({group_values:Array(String)})
    )
  ) AS group_id
FROM (
${spans}) AS spans
LEFT JOIN (
  SELECT trace_id AS rooted_id, min(${own}) AS root_value
  FROM (
${spansWhere(kind, `${IN_REACH} AND ${MAY_BE_ROOT[kind]}`, `trace_id is_root ${own}`)})
  WHERE is_root AND ${own} != ''
  GROUP BY trace_id
) AS roots ON spans.trace_id = roots.rooted_id
`;
}

/** Renames all steps but those that are kept to one name. */
function folded(spans: string): string {
  const name = "if(step = '' OR step IN {kept_steps:Array(String)}, step, {other_step:String})";
  return `SELECT * REPLACE (${name} AS step) FROM (\n${spans})`;
}

function splitComments(text: string): [string, string] {
  const start = /^(?:--.*\n)*/.exec(text)![0].length;
  return [text.slice(0, start), text.slice(start)];
}

const textByName = new Map<string, string>();

function sqlFile(name: FileName): string {
  let text = textByName.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
    textByName.set(name, text);
  }
  return text;
}

/**
 * In ClickHouse, each further scan of the spans in a window takes about as long as the first. Statements of the engine
 * that read the same spans are therefore answered from the rows of a single one: `step-scan.sql`, or `window.sql` if no
 * steps are needed.
 */
export type SharedRows = Record<ReadByScan, SqlRow[]>;

type ReadByScan =
  | 'extent'
  | 'sampled-programs'
  | 'coverage'
  | 'step-statistics'
  | 'step-timings'
  | 'step-quantiles'
  | 'step-first-outputs';

const READ_BY_SCAN: ReadonlySet<string> = new Set<ReadByScan>([
  'extent',
  'sampled-programs',
  'coverage',
  'step-statistics',
  'step-timings',
  'step-quantiles',
  'step-first-outputs',
]);

/** Whether `name` is answered by a scan. */
export function isReadByScan(name: StatementName): name is ReadByScan {
  return READ_BY_SCAN.has(name);
}

/**
 * The parts of statements that `question` needs.
 * @param hasTies Whether spans start at the same time, so that their ids decide the order.
 */
export function statementPartsOf(question: AnyQuestion, hasTies: boolean): StatementPart[] {
  const groups = 'groupBy' in question && question.groupBy !== undefined ? 'groups' : 'whole';
  if (question.name === 'conversations') return question.order === 'slowest-response' ? ['response'] : ['duration'];
  if (question.name === 'step-durations') return [groups, question.traits === true ? 'traits' : 'no-traits'];
  if (question.name !== 'step-statistics') return [groups];
  const { quantiles = [], durationQuantiles = true, timings = true, firstOutput = false } = question;
  return [
    groups,
    hasTies ? 'span-ids' : 'without-span-ids',
    ...(quantiles.length > 0 && durationQuantiles ? (['quantiles'] as const) : []),
    ...(timings ? (['timings'] as const) : []),
    ...(firstOutput ? (['first-output'] as const) : []),
  ];
}

/** The rows that are derived from `window.sql`. */
export function rowsOfWindow([row]: readonly SqlRow[]): Pick<SharedRows, 'extent' | 'sampled-programs' | 'coverage'> {
  return { extent: [row!], 'sampled-programs': programRows([row!]), coverage: [row!] };
}

/** What the rows of a statement about conversations tell of all spans in the window. */
export function rowsOfConversations(
  name: ClickHouseStatement,
  rows: readonly SqlRow[],
): Pick<SharedRows, 'extent' | 'coverage'> & Partial<SharedRows> {
  // Each row has the totals, except where the rows are parts of them.
  const parts = name === 'conversation-counts' ? rows : rows.slice(0, 1);
  const total = (column: string): bigint => parts.reduce((sum, row) => sum + BigInt(row[column] as bigint), 0n);
  const some = parts.filter((row) => Number(row['spans']) > 0);
  return {
    extent: [extentOf(some, 'spans')],
    coverage: [{ conversations: total('seen') }],
    // Few programs tell a ratio. Where one does, `window.sql` tells which.
    ...(!parts.some((row) => Boolean(row['has_ratios'])) && { 'sampled-programs': [] }),
  };
}

/** The rows that are derived from `step-scan.sql`. */
export function rowsOfScan(rows: readonly SqlRow[], step: string | null): Omit<SharedRows, 'coverage'> {
  const steps = rows.filter((row) => row['step'] !== '' && (step === null || row['step'] === step));
  const counted = steps.filter((row) => Number(row['counted']) > 0);
  return {
    'step-statistics': steps,
    'step-quantiles': counted,
    'step-timings': counted.flatMap(timingRows),
    'step-first-outputs': counted
      .filter((row) => Number(row['outputs'] ?? 0) > 0)
      .map((row) => ({
        step: row['step'],
        group_id: row['group_id'],
        counted: row['outputs'],
        average_s: row['first_output_s'],
        quantiles_s: row['first_outputs_s'],
      })),
    extent: [extentOf(rows, 'total')],
    'sampled-programs': programRows(rows),
  };
}

/** Timings, sorted by name. */
function timingRows({ step, group_id, parts = {} }: SqlRow): SqlRow[] {
  return Object.entries(parts as Readonly<Record<string, number>>)
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([part, average_s]) => ({ step, group_id, part, average_s }));
}

/** The extent of all rows together; `column` has their spans. */
function extentOf(rows: readonly SqlRow[], column: 'spans' | 'total'): SqlRow {
  const spans = rows.reduce((sum, row) => sum + (row[column] as bigint), 0n);
  const starts = rows.flatMap((row) => [row['oldest_ns'] as bigint, row['newest_ns'] as bigint]);
  if (starts.length === 0) return { spans, oldest_ns: null, newest_ns: null };
  const inOrder = starts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { spans, oldest_ns: inOrder[0], newest_ns: inOrder.at(-1) };
}

/** Programs by name, then ratio; the name is null if there is none. */
function programRows(rows: readonly SqlRow[]): SqlRow[] {
  const byText = new Map<string, readonly [string, number]>();
  for (const row of rows) {
    for (const program of row['programs'] as (readonly [string, number])[]) byText.set(program.join('\0'), program);
  }
  return [...byText.values()]
    .toSorted(([a, ratioA], [b, ratioB]) => (a === b ? ratioA - ratioB : a < b ? -1 : 1))
    .map(([name, ratio]) => ({ service_name: name === '' ? null : name, sampling_ratio: ratio }));
}

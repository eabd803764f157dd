import { readFileSync } from 'node:fs';
import type { SqlRow, StatementName } from '../../engines/sql/sql-store.ts';
import { compareText } from '../../model/order.ts';
import type { AnyQuestion } from '../../questions.ts';
import type { TableKind } from './table.ts';

/** The statements of the dialect: those of the engine, and its own. */
export type ClickHouseStatement =
  Exclude<StatementName, ReadByScan> | 'step-names' | 'step-name-count' | 'step-scan' | 'window';

/** Parts of statements that not every question needs; in their files, lines begin with the name in a comment. */
type StatementPart =
  | 'quantiles'
  | 'timings'
  | 'first-output'
  | 'span-ids'
  | 'without-span-ids'
  | 'duration'
  | 'response'
  | 'groups'
  | 'whole';

type FileName = ClickHouseStatement | 'chosen-conversations' | 'convotel-table' | 'exporter-table';

const IN_WINDOW = "Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {until:DateTime64(9, 'UTC')}";
/** Conversations that touch the window may begin before it and end after it, as far as this. */
const IN_REACH = "Timestamp >= {reach_since:DateTime64(9, 'UTC')} AND Timestamp < {reach_until:DateTime64(9, 'UTC')}";

/** Where each condition of a window ends. */
const END_OF_WINDOW = /Timestamp < \{(?:reach_)?until:[^}]*\}/g;

/** Conversations choose themselves by a step or a root; a superset does, since the statements look again. */
const MAY_COUNT: Readonly<Record<TableKind, string>> = {
  convotel: "(Step != '' OR IsRoot)",
  exporter: "(SpanAttributes['conversation.step.name'] != '' OR SpanName = 'conversation')",
};

/** A superset of the roots, too. */
const MAY_BE_ROOT: Readonly<Record<TableKind, string>> = {
  convotel: 'IsRoot',
  exporter: "SpanName = 'conversation'",
};

/**
 * What the statements read, by the condition that stands in the innermost query, where it saves the reading of whatever
 * does not fulfil it.
 */
function conditionsOf(kind: TableKind): Readonly<Record<string, string>> {
  return {
    window_spans: IN_WINDOW,
    // All conversations that touch the window, and others near it, which the statements leave out.
    reached_spans: IN_REACH,
    // Those that touch it alone, where they are few: a set of millions would take longer than reading them all.
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

function isTraceOf(condition: string): string {
  return `TraceId IN (SELECT TraceId FROM {table:Identifier} WHERE ${condition})`;
}

/** What of a question decides how a statement is put together; values are bound, never part of the text. */
export interface StatementShape {
  kind: TableKind;
  /** Whether only some of the conversations are looked at. */
  isFiltered: boolean;
  /** Whether steps other than `kept_steps` are called `other_step`. */
  isFolded: boolean;
  /** Whether spans have the value of `group_attribute`, and the number of its group by `group_values`. */
  isGrouped: boolean;
  /** Whether windows hold only the conversations whose trace ids come before `sample_below`. */
  isSampled: boolean;
  /** How many probabilities are bound as `probability_0`, `probability_1`, … */
  probabilityCount: number;
  parts: readonly StatementPart[];
}

/** The text of a statement, with the spans that it reads in front. */
export function statementText(name: ClickHouseStatement, shape: StatementShape): string {
  const text = wholeStatement(name, shape);
  // Within an hour the table is in order of trace id, so that a range of them reads only its share.
  return shape.isSampled ? text.replaceAll(END_OF_WINDOW, '$& AND TraceId < {sample_below:String}') : text;
}

function wholeStatement(
  name: ClickHouseStatement,
  { kind, isFiltered, isFolded, isGrouped, probabilityCount, parts }: StatementShape,
): string {
  const probabilities = Array.from({ length: probabilityCount }, (_, index) => `{probability_${index}:Float64}`);
  const statement = sqlFile(name)
    .replaceAll(/^ *\/\* (\S+) \*\/ .*\n/gm, (line, part: StatementPart) => (parts.includes(part) ? line : ''))
    .replaceAll(/(quantilesExactInclusive(?:If)?)\(0\.5\)/g, `$1(${probabilities.join(', ')})`);
  const definitions: string[] = [];
  for (const [relation, condition] of Object.entries(conditionsOf(kind))) {
    if (!new RegExp(`\\b${relation}\\b`).test(statement)) continue;
    const isWindowed = /\{(?:reach_)?since:/.test(condition);
    const narrows = isFiltered && isWindowed;
    const chosen = narrows ? ' AND TraceId IN (SELECT trace_id FROM chosen)' : '';
    const where = isWindowed ? spansWhere : relation === 'carrying_spans' ? copiesWhere : fewSpansWhere;
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
  // A statement with definitions of its own goes on with the list of ours.
  const own = body.startsWith('WITH ') ? `,\n${body.slice('WITH '.length)}` : `\n${body}`;
  return `${comments}WITH ${definitions.join(',\n')}${own}`;
}

/**
 * The spans of a table, with those columns that `reader`, the text of what reads them, has a word for: the server takes
 * longer to plan all thirty than to look up a conversation.
 */
function spansWhere(kind: TableKind, condition: string, reader: string): string {
  const [, select = '', rest = ''] = /^SELECT\n([^]*?\n)(FROM [^]*)$/.exec(splitComments(sqlFile(`${kind}-table`))[1])!;
  const columns = [...select.matchAll(/([^]*?\bAS (\w+)),?\n/g)]
    .filter(([, , name]) => new RegExp(`\\b${name}\\b`).test(reader))
    .map(([, column]) => column);
  return `SELECT\n${columns.join(',\n')}\n${rest.replace('WHERE true', () => `WHERE ${condition}`)}`;
}

/**
 * The spans of a few conversations. FINAL would look at all parts of the table for copies; here the statement itself keeps
 * the copy that FINAL keeps: the one with the highest Version, of equal ones the one inserted last.
 */
function fewSpansWhere(kind: TableKind, condition: string, reader: string): string {
  const spans = spansWhere(kind, condition, reader);
  if (kind === 'exporter') return spans;
  return `${spans.replace(' FINAL\n', '\n')}ORDER BY Version DESC, toUInt64OrZero(splitByChar('_', _part)[2]) DESC, _part_offset DESC
LIMIT 1 BY TraceId, SpanId, Timestamp
`;
}

/** The same with every copy, for what copies have in common. */
function copiesWhere(kind: TableKind, condition: string, reader: string): string {
  return spansWhere(kind, condition, reader)
    .replace(' FINAL\n', '\n')
    .replace(/^ORDER BY [^]*/m, '');
}

/** The same spans with the value that they are grouped by: their own, else that of a root, else that of their resource. */
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

/** The same spans, all steps but those kept under one name. */
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
 * ClickHouse reads columns so fast that each further look at the spans of a window costs about as much as the first. The
 * statements of the engine that read the same spans are therefore answered from the rows of one, `step-scan.sql`, or
 * `window.sql` where there are no steps to look at.
 */
export interface SharedRows extends Record<ReadByScan, SqlRow[]> {
  coverage: SqlRow[] | undefined;
}

type ReadByScan =
  'extent' | 'sampled-programs' | 'step-statistics' | 'step-timings' | 'step-quantiles' | 'step-first-outputs';

const READ_BY_SCAN: ReadonlySet<string> = new Set<ReadByScan>([
  'extent',
  'sampled-programs',
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
 * @param hasTies Whether spans start at one time, so that their ids decide which came first.
 */
export function statementPartsOf(question: AnyQuestion, hasTies: boolean): StatementPart[] {
  if (question.name === 'response-statistics') return [question.groupBy === undefined ? 'whole' : 'groups'];
  if (question.name === 'conversations') return question.order === 'slowest-response' ? ['response'] : ['duration'];
  if (question.name !== 'step-statistics') return [];
  const { quantiles = [], timings = true, firstOutput = false } = question;
  return [
    hasTies ? 'span-ids' : 'without-span-ids',
    ...(quantiles.length > 0 ? (['quantiles'] as const) : []),
    ...(timings ? (['timings'] as const) : []),
    ...(firstOutput ? (['first-output'] as const) : []),
  ];
}

/** What the rows of `window.sql` tell. */
export function rowsOfWindow([row]: readonly SqlRow[]): Pick<SharedRows, 'extent' | 'sampled-programs'> {
  return { extent: [row!], 'sampled-programs': programRows([row!]) };
}

/** What the rows of `step-scan.sql` tell; of one step alone, nothing about the rest of the window. */
export function rowsOfScan(rows: readonly SqlRow[], step: string | null): Partial<SharedRows> {
  const steps = rows.filter((row) => row['step'] !== '');
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
    ...(step === null && { extent: [extentOf(rows)], 'sampled-programs': programRows(rows) }),
  };
}

/** Parts in order of name. */
function timingRows({ step, group_id, parts = {} }: SqlRow): SqlRow[] {
  return Object.entries(parts as Readonly<Record<string, number>>)
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([part, average_s]) => ({ step, group_id, part, average_s }));
}

function extentOf(rows: readonly SqlRow[]): SqlRow {
  const spans = rows.reduce((sum, row) => sum + (row['total'] as bigint), 0n);
  const starts = rows.flatMap((row) => [row['oldest_ns'] as bigint, row['newest_ns'] as bigint]);
  if (starts.length === 0) return { spans, oldest_ns: null, newest_ns: null };
  const inOrder = starts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { spans, oldest_ns: inOrder[0], newest_ns: inOrder.at(-1) };
}

/** Programs in order of name, then ratio; one without a name is told as null. */
function programRows(rows: readonly SqlRow[]): SqlRow[] {
  const byText = new Map<string, readonly [string, number]>();
  for (const row of rows) {
    for (const program of row['programs'] as (readonly [string, number])[]) byText.set(program.join('\0'), program);
  }
  return [...byText.values()]
    .toSorted(([a, ratioA], [b, ratioB]) => (a === b ? ratioA - ratioB : a < b ? -1 : 1))
    .map(([name, ratio]) => ({ service_name: name === '' ? null : name, sampling_ratio: ratio }));
}

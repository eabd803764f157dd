import { readFileSync } from 'node:fs';
import type { StatementName } from '../../engines/sql/sql-store.ts';

/** Which table holds the spans: the one of `collector-config/clickhouse/otel-traces.sql`, or the one that the collector's exporter makes. */
export type TableKind = 'convotel' | 'exporter';

/** Statements that are answered from the rows of others: each look at the spans tells as much as it can. */
type AnsweredByOthers =
  'extent' | 'sampled-programs' | 'step-statistics' | 'step-quantiles' | 'step-timings' | 'step-first-outputs';

/** The statements of the dialect: those of the engine, and its own. */
export type ClickHouseStatement =
  Exclude<StatementName, AnsweredByOthers> | 'step-names' | 'step-name-count' | 'step-scan' | 'window';

/** Parts of `step-scan` that not every question needs. */
export type ScanPart = 'quantiles' | 'timings' | 'first-output';

type FileName = ClickHouseStatement | 'chosen-conversations' | 'convotel-table' | 'exporter-table';

const IN_WINDOW = "Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {until:DateTime64(9, 'UTC')}";
/** Conversations that touch the window may begin before it and end after it, as far as this. */
const IN_REACH = "Timestamp >= {reach_since:DateTime64(9, 'UTC')} AND Timestamp < {reach_until:DateTime64(9, 'UTC')}";

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
    carrying_spans: "SpanAttributes['conversation.id'] = {conversation_id:String}",
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
  /** How many probabilities are bound as `probability_0`, `probability_1`, … */
  probabilityCount: number;
  /** Parts of `step-scan` that the question needs. */
  scanParts: readonly ScanPart[];
}

/** The text of a statement, with the spans that it reads in front. */
export function statementText(
  name: ClickHouseStatement,
  { kind, isFiltered, isFolded, isGrouped, probabilityCount, scanParts }: StatementShape,
): string {
  const probabilities = Array.from({ length: probabilityCount }, (_, index) => `{probability_${index}:Float64}`);
  const statement = sqlFile(name)
    .replaceAll(/^ *\/\* (\S+) \*\/ .*\n/gm, (line, part: ScanPart) => (scanParts.includes(part) ? line : ''))
    .replaceAll(/(quantilesExactInclusive(?:If)?)\(0\.5\)/g, `$1(${probabilities.join(', ')})`);
  const definitions: string[] = [];
  for (const [relation, condition] of Object.entries(conditionsOf(kind))) {
    if (!new RegExp(`\\b${relation}\\b`).test(statement)) continue;
    const narrows = isFiltered && /\{(?:reach_)?since:/.test(condition);
    const chosen = narrows ? ' AND TraceId IN (SELECT trace_id FROM chosen)' : '';
    const plain = spansWhere(kind, condition + chosen);
    const spans = isGrouped ? grouped(kind, plain) : plain;
    definitions.push(`${relation} AS (\n${isFolded ? folded(spans) : spans})`);
    if (narrows && definitions.length === 1) {
      definitions.unshift(
        `candidate_spans AS (\n${spansWhere(kind, IN_REACH)})`,
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

function spansWhere(kind: TableKind, condition: string): string {
  return splitComments(sqlFile(`${kind}-table`))[1].replace('WHERE true', () => `WHERE ${condition}`);
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
${spansWhere(kind, `${IN_REACH} AND ${MAY_BE_ROOT[kind]}`)})
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

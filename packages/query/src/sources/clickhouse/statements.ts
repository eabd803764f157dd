import { readFileSync } from 'node:fs';
import type { StatementName } from '../../engines/sql/sql-store.ts';

/** Which table holds the spans: the one of `collector-config/clickhouse/otel-traces.sql`, or the one that the collector's exporter makes. */
export type TableKind = 'convotel' | 'exporter';

/** The statements of the dialect: those of the engine, and the one that finds the most frequent step names. */
export type ClickHouseStatement = StatementName | 'step-names';

type FileName = ClickHouseStatement | 'chosen-conversations' | 'convotel-table' | 'exporter-table';

const IN_WINDOW = "Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {until:DateTime64(9, 'UTC')}";

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

const HAS_CONVERSATION_ID: Readonly<Record<TableKind, string>> = {
  convotel: 'ConversationId = {conversation_id:String}',
  exporter: "SpanAttributes['conversation.id'] = {conversation_id:String}",
};

/**
 * What the statements read, by the condition that stands in the innermost query, where it saves the reading of whatever
 * does not fulfil it.
 */
function conditionsOf(kind: TableKind): Readonly<Record<string, string>> {
  return {
    window_spans: IN_WINDOW,
    touched_spans: touchedTraces(kind),
    traced_spans: 'TraceId IN {trace_ids:Array(String)}',
    carrying_spans: HAS_CONVERSATION_ID[kind],
  };
}

/** Of conversations with a step or a root in the window. */
function touchedTraces(kind: TableKind): string {
  return `TraceId IN (SELECT TraceId FROM {table:Identifier} WHERE ${IN_WINDOW} AND ${MAY_COUNT[kind]})`;
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
}

/** The text of a statement, with the spans that it reads in front. */
export function statementText(
  name: ClickHouseStatement,
  { kind, isFiltered, isFolded, isGrouped, probabilityCount }: StatementShape,
): string {
  const statement = sqlFile(name).replaceAll(
    'quantilesExactInclusive(0.5)',
    `quantilesExactInclusive(${Array.from({ length: probabilityCount }, (_, index) => `{probability_${index}:Float64}`).join(', ')})`,
  );
  const definitions: string[] = [];
  for (const [relation, condition] of Object.entries(conditionsOf(kind))) {
    if (!new RegExp(`\\b${relation}\\b`).test(statement)) continue;
    const narrows = isFiltered && condition.includes('{since:');
    const chosen = narrows ? ' AND TraceId IN (SELECT trace_id FROM chosen)' : '';
    const plain = spansWhere(kind, condition + chosen);
    const spans = isGrouped ? grouped(kind, plain) : plain;
    definitions.push(`${relation} AS (\n${isFolded ? folded(spans) : spans})`);
    if (narrows && definitions.length === 1) {
      const candidates = `TraceId IN (SELECT TraceId FROM {table:Identifier} WHERE ${IN_WINDOW})`;
      definitions.unshift(
        `candidate_spans AS (\n${spansWhere(kind, candidates)})`,
        `chosen AS (\n${sqlFile('chosen-conversations')})`,
      );
    }
  }
  const [comments, body] = splitComments(statement);
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
${spansWhere(kind, `${touchedTraces(kind)} AND ${MAY_BE_ROOT[kind]}`)})
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

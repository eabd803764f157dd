import { ATTRIBUTE, STEP_TIMING_PREFIX } from '@convotel/conventions';
import { findAll } from '../findings/finding.ts';
import type { Finding, FindingRule } from '../findings/finding.ts';
import type { Warning } from '../model/coverage.ts';
import type { GroupBy } from '../model/groups.ts';
import { compareText } from '../model/order.ts';
import type { ConversationFilters, Window } from '../model/window.ts';
import { QueryError } from '../query-error.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import type { WindowedOptions } from './report.ts';

/** What an answer is asked with that can be given group by group. */
export interface GroupedOptions extends WindowedOptions {
  /**
   * What steps are grouped by: one of {@link GROUP_ATTRIBUTES}, or the name of any attribute. It is read from the step,
   * else from the root of its conversation, else from the resource. The ten values that most steps of the window have get
   * a group each; all others are the group `(other)`, steps without a value the group `(none)`.
   * @defaultValue no groups
   */
  by?: string | undefined;
}

/** Short names of the attributes that answers are grouped by. */
export const GROUP_ATTRIBUTES: Readonly<Record<string, string>> = {
  model: ATTRIBUTE.requestModel,
  provider: ATTRIBUTE.provider,
  workflow: ATTRIBUTE.workflow,
  service: ATTRIBUTE.serviceName,
  version: 'service.version',
  session: ATTRIBUTE.sessionId,
};

/** How many values get a group of their own. */
const LARGEST_GROUPS = 10;

const MAX_NAME_LENGTH = 256;

/**
 * The attribute that `by` stands for.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` where nothing can be grouped by it.
 */
export function attributeOf(option: string, by: string): string {
  const attribute = Object.hasOwn(GROUP_ATTRIBUTES, by) ? GROUP_ATTRIBUTES[by]! : by;
  // Readers turn these into numbers and flags, or drop them.
  const isNoText =
    attribute === ATTRIBUTE.recovered ||
    attribute === ATTRIBUTE.schemaVersion ||
    attribute === ATTRIBUTE.inputText ||
    attribute === ATTRIBUTE.outputText ||
    attribute.startsWith(STEP_TIMING_PREFIX);
  if (attribute !== '' && attribute.length <= MAX_NAME_LENGTH && !isNoText) return attribute;
  const names = Object.keys(GROUP_ATTRIBUTES).join(', ');
  throw new QueryError(
    'OPTION_OUT_OF_RANGE',
    `${option} must be one of ${names}, or the name of an attribute of 1 to ${MAX_NAME_LENGTH} characters with few distinct values, got ${JSON.stringify(by)}`,
  );
}

/** The groups of an answer, and what its reader should know about them. */
export interface Groups {
  groupBy: GroupBy;
  warnings: Warning[];
}

/**
 * The ten largest groups of `by` over all of `windows` together, the largest first; undefined where `by` is absent.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export async function findGroups(
  source: ConversationSource,
  {
    by,
    windows,
    filters,
    step,
  }: {
    by: string | undefined;
    windows: readonly Window[];
    filters: ConversationFilters;
    step?: string | undefined;
  },
): Promise<Groups | undefined> {
  if (by === undefined) return undefined;
  const attribute = attributeOf('by', by);
  const limit = windows.length === 1 ? LARGEST_GROUPS : MAX_QUESTION_LIMIT;
  const counts = new Map<string, number>();
  for (const window of windows) {
    const ofStep = step === undefined ? {} : { step };
    const { data } = await source.ask({ name: 'attribute-values', window, filters, attribute, ...ofStep, limit });
    for (const { value, spans } of data) counts.set(value, (counts.get(value) ?? 0) + spans);
  }
  const values = [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || compareText(a, b))
    .slice(0, LARGEST_GROUPS)
    .map(([value]) => value);
  return { groupBy: { attribute, values }, warnings: values.length === 0 ? [attributeNeverSeen(attribute)] : [] };
}

/** The warning that no step has an attribute that was asked for. */
export function attributeNeverSeen(attribute: string): Warning {
  const text = `no step of the window has the attribute ${attribute}, on itself, on its root or on its resource; "trace" shows the attributes there are`;
  return { code: 'attribute-never-seen', text };
}

/** Rows by their group, in the order in which they come; rows without a group are one. */
export function byGroup<Row extends { group?: string }>(rows: readonly Row[]): Map<string | undefined, Row[]> {
  const groups = new Map<string | undefined, Row[]>();
  for (const row of rows) {
    const known = groups.get(row.group);
    if (known === undefined) groups.set(row.group, [row]);
    else known.push(row);
  }
  return groups;
}

/** What `rules` see in the facts of a group; the group's name stands in front of the text and in the evidence. */
export function findInGroup<Facts>(
  group: string | undefined,
  rules: readonly FindingRule<Facts>[],
  facts: Facts,
): Finding[] {
  const found = findAll(rules, facts);
  if (group === undefined) return found;
  return found.map((finding) => ({
    ...finding,
    text: `${group}: ${finding.text}`,
    evidence: { group, ...finding.evidence },
  }));
}

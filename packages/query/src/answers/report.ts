import { ATTRIBUTE, isConversationId, MAX_CONVERSATION_ID_LENGTH, STEP_TIMING_PREFIX } from '@convotel/conventions';
import { QueryError } from '../errors.ts';
import { findAll } from '../findings/finding.ts';
import type { Finding, FindingRule } from '../findings/finding.ts';
import type { ConversationFilters, Window } from '../model/conversation.ts';
import type { Coverage, Warning } from '../model/coverage.ts';
import type { GroupBy } from '../model/groups.ts';
import { compareText } from '../model/order.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource, SourceKind } from '../questions.ts';
import { formatInstant, isTimeZone } from '../time/instant.ts';

/**
 * What every answer returns and `--json` prints. Public: fields are only ever added.
 *
 * In `data`, times are RFC 3339 in UTC with 6 decimals, `…Ms` are milliseconds, `…Pct` percentages rounded to two
 * decimals (halves away from zero); nothing else is rounded. Unknown values are absent.
 */
export interface Report<Command extends string, Data> {
  command: Command;
  /** What the rows are grouped by, as given; absent if they are not grouped. */
  by?: string;
  /** Only `timeZone` in answers without a window. */
  window: { since?: string; until?: string; timeZone: string };
  source: { kind: SourceKind; location: string };
  coverage: Coverage;
  data: Data;
  findings: Finding[];
}

/** The parts of a report. */
export interface ReportParts<Command extends string, Data> {
  command: Command;
  by?: string | undefined;
  source: ConversationSource;
  /** Absent in answers without a window. */
  window?: Window | undefined;
  timeZone: string;
  coverage: Coverage;
  data: Data;
  findings?: Finding[];
}

/** Builds the report of an answer. */
export function buildReport<Command extends string, Data>(parts: ReportParts<Command, Data>): Report<Command, Data> {
  const { command, by, source, window, timeZone, coverage, data, findings = [] } = parts;
  return {
    command,
    ...(by !== undefined && { by }),
    window: window === undefined ? { timeZone } : { ...windowInText(window), timeZone },
    source: { kind: source.kind, location: source.location },
    coverage,
    data,
    findings,
  };
}

/** Both ends of `window` in the format of reports. */
export function windowInText(window: Window): { since: string; until: string } {
  return { since: formatInstant(window.sinceUnixNano), until: formatInstant(window.untilUnixNano) };
}

/**
 * The coverage of an answer to which several questions about the same spans contributed: the counts of the first,
 * complete if all are, every warning once.
 */
export function coverageOfSameSpans(first: Coverage, ...others: readonly Coverage[]): Coverage {
  const all = [first, ...others];
  return {
    conversations: first.conversations,
    spans: first.spans,
    complete: all.every(({ complete }) => complete),
    warnings: warningsOnce(all),
  };
}

/** Adds `warnings` to `coverage`. */
export function withWarnings(coverage: Coverage, warnings: readonly Warning[] = []): Coverage {
  return { ...coverage, warnings: [...coverage.warnings, ...warnings] };
}

/** All warnings, without duplicates. */
export function warningsOnce(coverages: readonly Coverage[]): Warning[] {
  return [...new Map(coverages.flatMap(({ warnings }) => warnings.map((each) => [each.text, each] as const))).values()];
}

/** Options of every answer about many conversations. */
export interface WindowedOptions {
  window: Window;
  /** IANA time zone of times and hours in the report; included in it. */
  timeZone: string;
  filters?: ConversationFilters | undefined;
}

/** Options of every answer about one conversation. */
export interface SingleOptions {
  conversationId: string;
  /** IANA time zone of times in the report; included in it. */
  timeZone: string;
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` if the window is empty or the time zone unknown. */
export function checkWindowed(options: WindowedOptions): void {
  checkWindow('window', options.window);
  checkTimeZone(options.timeZone);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` if the id is not a valid id or the time zone is unknown. */
export function checkSingle(options: SingleOptions): void {
  if (!isConversationId(options.conversationId)) {
    throw outOfRange(
      `conversationId must be a text of 1 to ${MAX_CONVERSATION_ID_LENGTH} characters; "recent" lists the newest ids`,
    );
  }
  checkTimeZone(options.timeZone);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `window.since` is before `window.until`. */
export function checkWindow(name: string, window: Window): void {
  if (window.sinceUnixNano >= window.untilUnixNano) {
    throw outOfRange(`${name} is empty: it must begin before it ends; choose an earlier beginning or a later end`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `timeZone` is an IANA zone. */
export function checkTimeZone(timeZone: string): void {
  if (!isTimeZone(timeZone)) {
    throw outOfRange(`timeZone must be an IANA zone such as Europe/Berlin, got ${JSON.stringify(timeZone)}`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a whole number in `[min, max]`. */
export function checkWholeNumber(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw outOfRange(`${name} must be a whole number ${rangeText(min, max)}, got ${value}`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless every source can return `limit` rows. */
export function checkLimit(limit: number): void {
  checkWholeNumber('limit', limit, 1, MAX_QUESTION_LIMIT);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a number in `[min, max]`. */
export function checkNumber(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!(value >= min && value <= max)) {
    throw outOfRange(`${name} must be a number ${rangeText(min, max)}, got ${value}`);
  }
}

function rangeText(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}

function outOfRange(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', message);
}

/** Options of an answer that can be grouped. */
export interface GroupedOptions extends WindowedOptions {
  /**
   * What steps are grouped by: one of {@link GROUP_ATTRIBUTES}, or the name of any attribute. The value is that of the
   * step, else of the root of its conversation, else of the resource. The ten most frequent values in the window have a
   * group each; all others are in the group `(other)`, steps without a value in the group `(none)`.
   * @defaultValue no groups
   */
  by?: string | undefined;
}

/** Short names of attributes for grouping. */
export const GROUP_ATTRIBUTES: Readonly<Record<string, string>> = {
  model: ATTRIBUTE.requestModel,
  provider: ATTRIBUTE.provider,
  workflow: ATTRIBUTE.workflow,
  service: ATTRIBUTE.serviceName,
  version: 'service.version',
  session: ATTRIBUTE.sessionId,
};

/** Maximum number of values with a group of their own. */
const LARGEST_GROUPS = 10;

const MAX_NAME_LENGTH = 256;

/**
 * The attribute for `by`.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` if it is not possible to group by it.
 */
export function attributeOf(option: string, by: string): string {
  const attribute = Object.hasOwn(GROUP_ATTRIBUTES, by) ? GROUP_ATTRIBUTES[by]! : by;
  // Readers convert these attributes to numbers or booleans, or drop them.
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

/** The groups of an answer, and warnings about them. */
export interface Groups {
  groupBy: GroupBy;
  warnings: Warning[];
}

/**
 * The ten largest groups of `by` over all `windows` together, largest first; undefined without `by`.
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

/** The warning that no step has the attribute. */
export function attributeNeverSeen(attribute: string): Warning {
  const text = `no step of the window has the attribute ${attribute}, on itself, on its root or on its resource; "trace" shows the attributes there are`;
  return { code: 'attribute-never-seen', text };
}

/** Rows by group, in order of first occurrence; rows without a group are in one entry. */
export function byGroup<Row extends { group?: string }>(rows: readonly Row[]): Map<string | undefined, Row[]> {
  const groups = new Map<string | undefined, Row[]>();
  for (const row of rows) {
    const known = groups.get(row.group);
    if (known === undefined) groups.set(row.group, [row]);
    else known.push(row);
  }
  return groups;
}

/** Applies `rules` to the facts of a group; adds the group's name to the beginning of each text and to the evidence. */
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

import { ATTRIBUTE } from '@convotel/conventions';
import { compareText } from './order.ts';
import { SPAN_FIELD_BY_ATTRIBUTE } from './span-record.ts';
import type { SpanRecord } from './span-record.ts';

/** Most values that one question may tell apart; see {@link GroupBy}. */
export const MAX_GROUPS = 20;

/** The group of steps with another value than those that a question tells apart. */
export const OTHER_GROUPS = '(other)';

/** The group of steps without a value. */
export const NO_GROUP = '(none)';

/**
 * Parts steps into groups by an attribute. A step's value is its own, else that of its conversation's root (of several
 * roots the first by code point), else that of its resource; texts as they are, numbers and truth values as text, lists
 * and empty texts as no value.
 *
 * A conversation is in every group that a step of it is in; in {@link NO_GROUP} only where none of its steps has a value.
 * One without steps is in the group of its root.
 */
export interface GroupBy {
  /** The attribute's name, such as `gen_ai.request.model`. */
  attribute: string;
  /**
   * The values that have a group of their own, at most {@link MAX_GROUPS}. Groups come in this order, then
   * {@link OTHER_GROUPS}, then {@link NO_GROUP}; one without anything in it has no row.
   */
  values: readonly string[];
}

// Groups have numbers: the place of their value in `GroupBy.values`, then the others, then those without a value. Without
// `GroupBy` everything is in group 0.

/** The number of the group with `value`. */
export function groupOfValue(value: string | undefined, { values }: GroupBy): number {
  if (value === undefined) return noGroup(values.length);
  const place = values.indexOf(value);
  return place === -1 ? values.length : place;
}

/** The number of the group of steps without a value, where `count` values have a group of their own. */
export function noGroup(count: number): number {
  return count + 1;
}

/** The group with a number as answers name it. */
export function groupName(group: number, { values }: GroupBy): string {
  return values[group] ?? (group === values.length ? OTHER_GROUPS : NO_GROUP);
}

/** The names of all groups there may be, in their order. */
export function groupNamesOf(groupBy: GroupBy): string[] {
  return [...groupBy.values, OTHER_GROUPS, NO_GROUP];
}

/** Whether a conversation with these bits is in the group of this name. */
export function isInGroup(mask: number, group: string, groupBy: GroupBy): boolean {
  for (let bit = 0; bit <= noGroup(groupBy.values.length); bit++) {
    if ((mask & (1 << bit)) !== 0 && groupName(bit, groupBy) === group) return true;
  }
  return false;
}

/** The field `group` of a row; none without `groupBy`. */
export function namedGroup(group: number, groupBy: GroupBy | undefined): { group?: string } {
  return groupBy === undefined ? {} : { group: groupName(group, groupBy) };
}

/** The number of the group of each step and root among the spans of one conversation. */
export function groupsIn(spans: readonly SpanRecord[], groupBy: GroupBy | undefined): (span: SpanRecord) => number {
  if (groupBy === undefined) return () => 0;
  const valueOf = groupingValues(spans, groupBy.attribute);
  return (span) => groupOfValue(valueOf(span), groupBy);
}

/** The groups that one conversation is in, a bit for each number; see {@link GroupBy}. */
export function groupMask(spans: readonly SpanRecord[], groupBy: GroupBy): number {
  const steps = spans.filter(({ role }) => role === 'step');
  const deciding = steps.length > 0 ? steps : spans.filter(({ role }) => role === 'root');
  const groupOf = groupsIn(spans, groupBy);
  const mask = deciding.reduce((bits, span) => bits | (1 << groupOf(span)), 0);
  return withoutNoGroup(mask, groupBy);
}

/** A conversation counts as one without a value only where none of its steps has one. */
export function withoutNoGroup(mask: number, { values }: GroupBy): number {
  const withValue = mask & ~(1 << noGroup(values.length));
  return withValue === 0 ? mask : withValue;
}

/** The value of an attribute as a program set it. */
export type AttributeValue = string | number | boolean | AttributeValue[] | { [key: string]: AttributeValue } | null;

/** Attributes whose meaning the conventions say; the others are the program's own. */
const CONVENTIONAL = /^(?:conversation|gen_ai)\.|^session\.id$|^error\.type$/;

/** The attributes that the program set on the span, by name; whole numbers beyond 2^53 as texts. */
export function ownAttributesOf({ rest }: SpanRecord): Record<string, AttributeValue> {
  if (rest?.attributes === undefined) return {};
  const entries: [string, AttributeValue][] = [];
  for (const attribute of rest.attributes) {
    const { key, value } = attribute as { key?: unknown; value?: unknown };
    if (typeof key === 'string' && !CONVENTIONAL.test(key)) entries.push([key, plainValueOf(value)]);
  }
  return Object.fromEntries(entries);
}

/** What lies deeper in a value is left out: whoever prints it goes through it level by level. */
const MAX_DEPTH = 64;

/** What an OTLP `AnyValue` holds (common.proto, proto3 JSON mapping); null where it holds nothing that is known. */
function plainValueOf(value: unknown, depth = 0): AttributeValue {
  if (depth > MAX_DEPTH) return null;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = (value ?? {}) as {
    [kind: string]: unknown;
  };
  if (typeof stringValue === 'string') return stringValue;
  if (typeof boolValue === 'boolean') return boolValue;
  if (typeof doubleValue === 'number' || typeof doubleValue === 'string') return doubleValue;
  if (typeof intValue === 'number') return intValue;
  if (typeof intValue === 'string') return Number.isSafeInteger(Number(intValue)) ? Number(intValue) : intValue;
  if (typeof bytesValue === 'string') return bytesValue;
  const items = valuesIn(arrayValue);
  if (items !== undefined) return items.map((item) => plainValueOf(item, depth + 1));
  const pairs = valuesIn(kvlistValue) as { key?: unknown; value?: unknown }[] | undefined;
  return pairs === undefined
    ? null
    : Object.fromEntries(pairs.map((pair) => [String(pair.key), plainValueOf(pair.value, depth + 1)]));
}

function valuesIn(list: unknown): unknown[] | undefined {
  if (typeof list !== 'object' || list === null) return undefined;
  const { values = [] } = list as { values?: unknown };
  return Array.isArray(values) ? values : undefined;
}

/**
 * The values by which steps and roots of one conversation are grouped: the attribute of the span itself, else of a root
 * (of several the first by code point), else of the resource. Undefined for a span without a value.
 */
export function groupingValues(
  spans: readonly SpanRecord[],
  attribute: string,
): (span: SpanRecord) => string | undefined {
  const ofRoots = spans.filter(({ role }) => role === 'root').flatMap((root) => spanValue(root, attribute) ?? []);
  const [ofRoot] = ofRoots.sort(compareText);
  return (span) => spanValue(span, attribute) ?? ofRoot ?? resourceValue(span, attribute);
}

function spanValue(span: SpanRecord, attribute: string): string | undefined {
  if (attribute === ATTRIBUTE.outcome) return span.outcome;
  const field = SPAN_FIELD_BY_ATTRIBUTE.get(attribute)?.field;
  const typed = field === undefined ? undefined : span[field];
  // An outermost step does not say its depth.
  if (typed !== undefined && typed !== '' && !(field === 'depth' && typed === 0)) return String(typed);
  return valueAmong(span.rest?.attributes, attribute);
}

function resourceValue({ serviceName, samplingRatio, rest }: SpanRecord, attribute: string): string | undefined {
  if (attribute === ATTRIBUTE.serviceName) return serviceName === '' ? undefined : serviceName;
  if (attribute === ATTRIBUTE.samplingRatio && samplingRatio !== undefined) return String(samplingRatio);
  return valueAmong(rest?.resourceAttributes, attribute);
}

/** Lists and empty texts are no value. */
function valueAmong(attributes: readonly unknown[] | undefined, attribute: string): string | undefined {
  const found = attributes?.find((entry) => (entry as { key?: unknown }).key === attribute);
  if (found === undefined) return undefined;
  const value = plainValueOf((found as { value?: unknown }).value);
  if (value === null || typeof value === 'object' || value === '') return undefined;
  return String(value);
}

/** One step's column of `StepDurations`: only the conversations that have the step, which may be few of many. */
export interface StepColumn {
  /** With `groupBy`. */
  group?: string;
  step: string;
  /** The rows of the conversations that have the step, ascending; the arrays below have one element for each. */
  rows: Uint32Array;
  /** Sum of its counted spans (completed, under 60 s) that start in the window, in ms. */
  countedMs: Float64Array;
  /** How many those are. */
  counted: Uint32Array;
  /** Sum of all its completed spans, wherever they start, in ms; NaN where there is none. */
  completedMs: Float64Array;
  /** Its first start − the conversation's start, in ms. */
  firstOffsetMs: Float64Array;
  /** Where asked for. */
  traits?: StepTraits;
}

/** What may differ from one conversation to the next besides time; one element for each of the rows of a column. */
export interface StepTraits {
  /** The model that its spans name, of several the first by code point; empty where none does. */
  models: string[];
  /** How many of its spans are a second attempt or a later one. */
  retries: Uint32Array;
  /** Characters that went into its spans together; NaN where none says so. */
  inputChars: Float64Array;
}

/** What one conversation has in the column of a step; see the fields of {@link StepColumn} and {@link StepTraits}. */
export interface StepCell {
  row: number;
  countedMs: number;
  counted: number;
  completedMs: number;
  firstOffsetMs: number;
  model: string;
  retries: number;
  inputChars: number;
}

/** Gathers the cells of a table of conversations by steps, most of which may be empty. */
export class StepCells {
  readonly #cellsByGroup = new Map<number, Map<string, StepCell[]>>();
  readonly #groupBy: GroupBy | undefined;
  readonly #hasTraits: boolean;

  constructor({ groupBy, traits }: { groupBy: GroupBy | undefined; traits: boolean }) {
    this.#groupBy = groupBy;
    this.#hasTraits = traits;
  }

  /** Adds a cell; each row at most once for a step and group, in any order. */
  add(step: string, cell: StepCell, group: number): void {
    let cellsByStep = this.#cellsByGroup.get(group);
    if (cellsByStep === undefined) this.#cellsByGroup.set(group, (cellsByStep = new Map<string, StepCell[]>()));
    const cells = cellsByStep.get(step);
    if (cells === undefined) cellsByStep.set(step, [cell]);
    else cells.push(cell);
  }

  /** The steps that have a cell. */
  get steps(): string[] {
    return [...new Set([...this.#cellsByGroup.values()].flatMap((cellsByStep) => [...cellsByStep.keys()]))];
  }

  /** The columns of `steps`, in that order, group by group. */
  columns(steps: readonly string[]): StepColumn[] {
    const groups = [...this.#cellsByGroup].sort(([a], [b]) => a - b);
    return groups.flatMap(([group, cellsByStep]) =>
      steps
        .filter((step) => cellsByStep.has(step))
        .map((step) => ({ ...namedGroup(group, this.#groupBy), ...this.#column(step, cellsByStep.get(step)!) })),
    );
  }

  #column(step: string, unsorted: readonly StepCell[]): StepColumn {
    const cells = unsorted.toSorted((a, b) => a.row - b.row);
    return {
      step,
      rows: Uint32Array.from(cells, ({ row }) => row),
      countedMs: Float64Array.from(cells, ({ countedMs }) => countedMs),
      counted: Uint32Array.from(cells, ({ counted }) => counted),
      completedMs: Float64Array.from(cells, ({ completedMs }) => completedMs),
      firstOffsetMs: Float64Array.from(cells, ({ firstOffsetMs }) => firstOffsetMs),
      ...(this.#hasTraits && {
        traits: {
          models: cells.map(({ model }) => model),
          retries: Uint32Array.from(cells, ({ retries }) => retries),
          inputChars: Float64Array.from(cells, ({ inputChars }) => inputChars),
        },
      }),
    };
  }
}

import { ATTRIBUTE } from '@convotel/conventions';
import { compareText } from './order.ts';
import { SPAN_FIELD_BY_ATTRIBUTE } from './span-record.ts';
import type { SpanRecord } from './span-record.ts';

/** Maximum number of values with a group of their own in one question; see {@link GroupBy}. */
export const MAX_GROUPS = 20;

/** The group of steps with a value that is not listed in {@link GroupBy.values}. */
export const OTHER_GROUPS = '(other)';

/** The group of steps without a value. */
export const NO_GROUP = '(none)';

/**
 * Groups steps by an attribute. The value of a step is that of its own span, else of its conversation's root (of
 * several roots the first by code point), else of its resource. Numbers and booleans are converted to strings; arrays
 * and empty strings count as no value.
 *
 * A conversation is in the group of each of its steps, but in {@link NO_GROUP} only if none of its steps has a value.
 * A conversation without steps is in the group of its root.
 */
export interface GroupBy {
  /** The attribute's name, such as `gen_ai.request.model`. */
  attribute: string;
  /**
   * The values that have a group of their own, at most {@link MAX_GROUPS}. Groups come in this order, then
   * {@link OTHER_GROUPS}, then {@link NO_GROUP}; an empty group has no row.
   */
  values: readonly string[];
}

// Groups are numbered: the index of the value in `GroupBy.values`, then the group of other values, then that of no
// value.
// Without `GroupBy` everything is in group 0.

/** The number of the group with `value`. */
export function groupOfValue(value: string | undefined, { values }: GroupBy): number {
  if (value === undefined) return noGroup(values.length);
  const place = values.indexOf(value);
  return place === -1 ? values.length : place;
}

/** The number of the group of steps without a value, if `count` values have a group of their own. */
export function noGroup(count: number): number {
  return count + 1;
}

/** The name of a group in answers. */
export function groupName(group: number, { values }: GroupBy): string {
  return values[group] ?? (group === values.length ? OTHER_GROUPS : NO_GROUP);
}

/** The names of all possible groups, in order. */
export function groupNamesOf(groupBy: GroupBy): string[] {
  return [...groupBy.values, OTHER_GROUPS, NO_GROUP];
}

/** Whether a conversation with this {@link groupMask} is in the group. */
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

/** The groups of one conversation as a bit mask, bit n for group n; see {@link GroupBy}. */
export function groupMask(spans: readonly SpanRecord[], groupBy: GroupBy): number {
  const steps = spans.filter(({ role }) => role === 'step');
  const deciding = steps.length > 0 ? steps : spans.filter(({ role }) => role === 'root');
  const groupOf = groupsIn(spans, groupBy);
  const mask = deciding.reduce((bits, span) => bits | (1 << groupOf(span)), 0);
  return withoutNoGroup(mask, groupBy);
}

/** Clears the bit of {@link NO_GROUP} unless it is the only one: one step with a value is enough. */
export function withoutNoGroup(mask: number, { values }: GroupBy): number {
  const withValue = mask & ~(1 << noGroup(values.length));
  return withValue === 0 ? mask : withValue;
}

/** The value of an attribute. */
export type AttributeValue = string | number | boolean | AttributeValue[] | { [key: string]: AttributeValue } | null;

/** Attributes that the conventions define; all others are the program's own. */
const CONVENTIONAL = /^(?:conversation|gen_ai)\.|^session\.id$|^error\.type$/;

/** The program's own attributes of the span, by name; integers beyond 2^53 as strings. */
export function ownAttributesOf({ rest }: SpanRecord): Record<string, AttributeValue> {
  if (rest?.attributes === undefined) return {};
  const entries: [string, AttributeValue][] = [];
  for (const attribute of rest.attributes) {
    const { key, value } = attribute as { key?: unknown; value?: unknown };
    if (typeof key === 'string' && !CONVENTIONAL.test(key)) entries.push([key, plainValueOf(value)]);
  }
  return Object.fromEntries(entries);
}

/** Values nested deeper than this become null, because code that prints them is recursive. */
const MAX_DEPTH = 64;

/** The value of an OTLP `AnyValue` (common.proto, proto3 JSON mapping); null if it is of an unknown kind. */
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
  // Outermost steps have no depth attribute.
  if (typed !== undefined && typed !== '' && !(field === 'depth' && typed === 0)) return String(typed);
  return valueAmong(span.rest?.attributes, attribute);
}

function resourceValue({ serviceName, samplingRatio, rest }: SpanRecord, attribute: string): string | undefined {
  if (attribute === ATTRIBUTE.serviceName) return serviceName === '' ? undefined : serviceName;
  if (attribute === ATTRIBUTE.samplingRatio && samplingRatio !== undefined) return String(samplingRatio);
  return valueAmong(rest?.resourceAttributes, attribute);
}

/** Undefined for arrays and empty strings, which count as no value. */
function valueAmong(attributes: readonly unknown[] | undefined, attribute: string): string | undefined {
  const found = attributes?.find((entry) => (entry as { key?: unknown }).key === attribute);
  if (found === undefined) return undefined;
  const value = plainValueOf((found as { value?: unknown }).value);
  if (value === null || typeof value === 'object' || value === '') return undefined;
  return String(value);
}

/** One step's column of `StepDurations`, in sparse form: it covers only the conversations that have the step. */
export interface StepColumn {
  /** Set with `groupBy`. */
  group?: string;
  step: string;
  /** The rows of the conversations that have the step, ascending; the arrays below have one element for each. */
  rows: Uint32Array;
  /** Sum of its counted spans (completed, under 60 s) that start in the window, in ms. */
  countedMs: Float64Array;
  /** Number of those spans. */
  counted: Uint32Array;
  /** Sum of all its completed spans, whenever they start, in ms; NaN if there is none. */
  completedMs: Float64Array;
  /** Start of its first span minus start of the conversation, in ms. */
  firstOffsetMs: Float64Array;
  /** Set if the question asks for `traits`. */
  traits?: StepTraits;
}

/** Properties of a step other than time; each array has one element per row of the column. */
export interface StepTraits {
  /** The model of its spans, of several the first by code point; empty if none has one. */
  models: string[];
  /** Number of its spans that are retries: attempt 2 or later. */
  retries: Uint32Array;
  /** Sum of the input characters of its spans; NaN if none has a count. */
  inputChars: Float64Array;
  /** Sum of the times to first output of its counted spans in the window that have one, in ms. */
  firstOutputMs: Float64Array;
  /** Number of those spans. */
  firstOutputs: Uint32Array;
}

/** The values of one conversation in the column of a step; see {@link StepColumn} and {@link StepTraits}. */
export interface StepCell {
  row: number;
  countedMs: number;
  counted: number;
  completedMs: number;
  firstOffsetMs: number;
  model: string;
  retries: number;
  inputChars: number;
  firstOutputMs: number;
  firstOutputs: number;
}

/** The cells of one step and group, one array per field: an object per cell would take several times the memory. */
type CellArrays = { readonly [Field in keyof StepCell]: StepCell[Field][] };

/** Builds the columns of a sparse table with a row per conversation and a column per step. */
export class StepCells {
  readonly #cellsByGroup = new Map<number, Map<string, CellArrays>>();
  readonly #groupBy: GroupBy | undefined;
  readonly #hasTraits: boolean;

  constructor({ groupBy, traits }: { groupBy: GroupBy | undefined; traits: boolean }) {
    this.#groupBy = groupBy;
    this.#hasTraits = traits;
  }

  /** Adds a cell, in any order. There may be one per row, step and group. */
  add(step: string, cell: StepCell, group: number): void {
    let cellsByStep = this.#cellsByGroup.get(group);
    if (cellsByStep === undefined) this.#cellsByGroup.set(group, (cellsByStep = new Map<string, CellArrays>()));
    let cells = cellsByStep.get(step);
    if (cells === undefined) cellsByStep.set(step, (cells = emptyCells()));
    cells.row.push(cell.row);
    cells.countedMs.push(cell.countedMs);
    cells.counted.push(cell.counted);
    cells.completedMs.push(cell.completedMs);
    cells.firstOffsetMs.push(cell.firstOffsetMs);
    if (!this.#hasTraits) return;
    cells.model.push(cell.model);
    cells.retries.push(cell.retries);
    cells.inputChars.push(cell.inputChars);
    cells.firstOutputMs.push(cell.firstOutputMs);
    cells.firstOutputs.push(cell.firstOutputs);
  }

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

  #column(step: string, { row, ...cells }: CellArrays): StepColumn {
    const places = placesByRow(row);
    const doubles = (values: readonly number[]): Float64Array => pick(values, places, new Float64Array(places.length));
    const counts = (values: readonly number[]): Uint32Array => pick(values, places, new Uint32Array(places.length));
    return {
      step,
      rows: counts(row),
      countedMs: doubles(cells.countedMs),
      counted: counts(cells.counted),
      completedMs: doubles(cells.completedMs),
      firstOffsetMs: doubles(cells.firstOffsetMs),
      ...(this.#hasTraits && {
        traits: {
          models: Array.from(places, (place) => cells.model[place]!),
          retries: counts(cells.retries),
          inputChars: doubles(cells.inputChars),
          firstOutputMs: doubles(cells.firstOutputMs),
          firstOutputs: counts(cells.firstOutputs),
        },
      }),
    };
  }
}

/** The places of `rows`, all of which differ, by ascending row. */
function placesByRow(rows: readonly number[]): Uint32Array {
  const last = rows.reduce((greatest, row) => Math.max(greatest, row), -1);
  const placeOf = new Int32Array(last + 1).fill(-1);
  for (const [place, row] of rows.entries()) placeOf[row] = place;
  return Uint32Array.from(placeOf.filter((place) => place !== -1));
}

function pick<Values extends Float64Array | Uint32Array>(
  values: readonly number[],
  places: Uint32Array,
  picked: Values,
): Values {
  for (let index = 0; index < places.length; index++) picked[index] = values[places[index]!]!;
  return picked;
}

function emptyCells(): CellArrays {
  return {
    row: [],
    countedMs: [],
    counted: [],
    completedMs: [],
    firstOffsetMs: [],
    model: [],
    retries: [],
    inputChars: [],
    firstOutputMs: [],
    firstOutputs: [],
  };
}

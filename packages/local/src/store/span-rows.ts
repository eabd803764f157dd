import { setImmediate } from 'node:timers/promises';
import { OUTCOMES, traceIdOf } from '@convotel/conventions';
import type { SpanRecord, SpanRest } from '@convotel/query';
import { SPAN_FIELDS, type SpanField, takeKnownAttributes } from '@convotel/query/engine';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBMapValue,
  type DuckDBResult,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import {
  type Column,
  MAX_CHUNK_ROWS,
  type SparseValues,
  type StoredSpan,
  bigintColumn,
  booleanColumn,
  doubleColumn,
  enumColumn,
  integerColumn,
  spanIdColumn,
  textColumn,
  timingsColumn,
  traceIdColumn,
  unsignedColumn,
} from './columns.ts';
import { type ColumnReader, partsOf, type ResultPart, type ValueReader } from './column-reader.ts';

/** The column of each field of {@link SPAN_FIELDS}, except the depth, which every span has. */
const OPTIONAL_FIELDS = SPAN_FIELDS.filter(({ field }) => field !== 'depth');

const ID_COLUMNS: ReadonlySet<string> = new Set(['trace_id', 'span_id', 'parent_span_id']);

/**
 * Reads the spans in a result with columns of the table `spans` and those of its steps and resources. Fields for which it
 * has no column are left out.
 */
export async function readSpans(result: DuckDBResult): Promise<SpanRecord[]> {
  const spans: SpanRecord[] = [];
  for await (const part of partsOf(result, ID_COLUMNS)) for (const span of spansIn(part)) spans.push(span);
  return spans;
}

/** Column by column: of tens of thousands of spans, that takes a fraction of the time that reading row by row takes. */
function spansIn({ rowCount, columns: all }: ResultPart): SpanRecord[] {
  const columns = new Map([...all].filter(([, { valuesIn }]) => valuesIn !== 'none'));
  const optional = OPTIONAL_FIELDS.filter(({ column }) => columns.has(column));
  const hasAll = (column: string): boolean => columns.get(column)?.valuesIn === 'all';
  const spans = copiesOf(
    {
      traceId: '',
      spanId: '',
      ...(hasAll('parent_span_id') && { parentSpanId: '' }),
      name: '',
      startTimeUnixNano: 0n,
      durationNano: 0n,
      role: 'other',
      outcome: 'completed',
      isRecovered: false,
      depth: 0,
      ...Object.fromEntries(optional.filter(({ column }) => hasAll(column)).map(({ field }) => [field, undefined])),
      ...(hasAll('kind') && { rest: {} }),
    },
    rowCount,
  );
  const fill = (field: keyof SpanRecord, column: string): void => {
    const reader = columns.get(column);
    if (reader !== undefined) fillField(spans, field, reader);
  };
  fill('traceId', 'trace_id');
  fill('spanId', 'span_id');
  fill('parentSpanId', 'parent_span_id');
  // A span that is named like its step has no name of its own.
  fill('name', 'step');
  fill('name', 'name');
  fill('startTimeUnixNano', 'start_ns');
  fill('durationNano', 'duration_ns');
  fill('role', 'role');
  fill('outcome', 'outcome');
  fill('isRecovered', 'is_recovered');
  fill('depth', 'depth');
  for (const { field, column } of optional) fill(field, column);
  fillTimings(spans, columns.get('timings_s'));
  fillRest(spans, columns);
  return spans;
}

/** Copying a complete object takes a tenth of the time of adding the fields one by one. */
function copiesOf(template: SpanRecord, count: number): SpanRecord[] {
  // Created at once, so that the fields are stored in the object itself, and in its copies.
  const flat = Object.fromEntries(Object.entries(template)) as unknown as SpanRecord;
  return Array.from({ length: count }, () => ({ ...flat }));
}

function fillField(spans: readonly SpanRecord[], field: keyof SpanRecord, { valuesIn, read }: ColumnReader): void {
  const fields = spans as unknown as readonly Record<string, unknown>[];
  if (valuesIn === 'all') {
    for (let row = 0; row < fields.length; row++) fields[row]![field] = read(row);
    return;
  }
  for (let row = 0; row < fields.length; row++) {
    const value = read(row);
    if (value !== null) fields[row]![field] = value;
  }
}

function fillTimings(spans: readonly SpanRecord[], timings: ColumnReader | undefined): void {
  if (timings === undefined) return;
  for (let row = 0; row < spans.length; row++) {
    const map = timings.read(row) as DuckDBMapValue | null;
    if (map === null) continue;
    spans[row]!.timingsSeconds = Object.fromEntries(
      map.entries.map(({ key, value }) => [key as string, value as number]),
    );
  }
}

const COLUMNS_OF_REST = ['rest', 'kind', 'flags', 'resource_attributes', 'scope_name', 'scope_version'];

function fillRest(spans: readonly SpanRecord[], columns: ReadonlyMap<string, ColumnReader>): void {
  if (!COLUMNS_OF_REST.some((column) => columns.has(column))) return;
  const [kept, kinds, flags, resources, scopeNames, scopeVersions] = COLUMNS_OF_REST.map(
    (column) => columns.get(column)?.read ?? (() => null),
  ) as [ValueReader, ValueReader, ValueReader, ValueReader, ValueReader, ValueReader];
  for (let row = 0; row < spans.length; row++) {
    const span = spans[row]!;
    const text = kept(row) as string | null;
    const kind = kinds(row) as number | null;
    const rest: SpanRest = text === null ? (kind === null ? {} : { kind }) : (JSON.parse(text) as SpanRest);
    if (kind !== null) rest.kind = kind;
    const flag = flags(row) as number | null;
    if (flag !== null) rest.flags = flag;
    const resource = resources(row) as string | null;
    if (resource !== null) rest.resourceAttributes = readResource(resource);
    const [name, version] = [scopeNames(row) as string | null, scopeVersions(row) as string | null];
    if (name !== null || version !== null) rest.scope = readScope(name ?? undefined, version ?? undefined);
    setRest(span, rest);
  }
}

function setRest(span: SpanRecord, rest: SpanRest): void {
  if (Object.keys(rest).length === 0) return;
  span.rest = rest;
  if (rest.attributes === undefined) return;
  takeKnownAttributes(span);
  if (Object.keys(rest).length === 0) delete span.rest;
}

/** The resource that was read last: the spans of one conversation mostly share one. */
let lastResource: { text: string; attributes: unknown[] } | undefined;

function readResource(text: string): unknown[] {
  if (lastResource?.text !== text) lastResource = { text, attributes: JSON.parse(text) as unknown[] };
  return lastResource.attributes;
}

/** The scope that was read last. */
let lastScope: { name?: string; version?: string } = {};

function readScope(name: string | undefined, version: string | undefined): { name?: string; version?: string } {
  if (lastScope.name !== name || lastScope.version !== version) {
    lastScope = { ...(name !== undefined && { name }), ...(version !== undefined && { version }) };
  }
  return lastScope;
}

/** Rows written to columns without yielding: a few milliseconds in which no request is answered. */
const ROWS_PER_TURN = MAX_CHUNK_ROWS;
/** As many are written to columns and flushed without yielding. */
const FEW_ROWS = 512;

/**
 * Writes rows to the table `spans`, a chunk of columns at a time, through one appender that stays open (a new one per
 * request leaks memory).
 */
export class SpanAppender {
  readonly #appender: DuckDBAppender;
  readonly #columns: readonly Column[];
  readonly #fields: FieldValues;
  readonly #dataChunk: DuckDBDataChunk;

  private constructor(appender: DuckDBAppender, columns: readonly Column[], fields: FieldValues) {
    this.#appender = appender;
    this.#fields = fields;
    this.#columns = columns;
    this.#dataChunk = DuckDBDataChunk.create(columns.map((column) => column.type));
  }

  static async open(connection: DuckDBConnection): Promise<SpanAppender> {
    const fields = new FieldValues();
    const columns = new Map(createSpanColumns(fields).map((column) => [column.name, column]));
    const table = await connection.runAndReadAll(
      "SELECT column_name FROM duckdb_columns() WHERE table_name = 'spans' ORDER BY column_index",
    );
    // An appender takes the columns in the order of the table, which differs with the versions that made it.
    const ordered = table.getRows().map(([name]) => columns.get(name as string)!);
    return new SpanAppender(await connection.createAppender('spans'), ordered, fields);
  }

  /**
   * Writes `spans` as part of the connection's transaction. Other work gets a turn of the event loop in between, and as
   * long as `yieldToOthers` takes.
   */
  async append(spans: readonly StoredSpan[], yieldToOthers?: () => Promise<void>): Promise<void> {
    for (let from = 0; from < spans.length; from += ROWS_PER_TURN) {
      if (from > 0) await letOthers(yieldToOthers);
      this.#appendChunk(spans.slice(from, from + ROWS_PER_TURN));
      if (spans.length > FEW_ROWS) await letOthers(yieldToOthers);
      // Each chunk at once: all together would block for as long as they take.
      this.#appender.flushSync();
    }
  }

  #appendChunk(spans: readonly StoredSpan[]): void {
    this.#dataChunk.reset();
    this.#dataChunk.rowCount = spans.length;
    this.#fields.read(spans);
    for (const [index, column] of this.#columns.entries()) {
      column.fill(duckdb.data_chunk_get_vector(this.#dataChunk.chunk, index), spans);
    }
    this.#appender.appendDataChunk(this.#dataChunk);
  }

  close(): void {
    this.#appender.closeSync();
  }
}

async function letOthers(yieldToOthers: (() => Promise<void>) | undefined): Promise<void> {
  await yieldToOthers?.();
  await setImmediate();
}

const ROLES: readonly SpanRecord['role'][] = ['root', 'step', 'other'];

/** The columns of the table `spans`. Created for each writer: a column owns its buffers. */
export function createSpanColumns(fields: FieldValues): Column[] {
  return [
    traceIdColumn('trace_id', (span) => span.traceId),
    spanIdColumn('span_id', (span) => span.spanId),
    spanIdColumn('parent_span_id', (span) => span.parentSpanId),
    bigintColumn('start_ns', (span) => span.startTimeUnixNano),
    bigintColumn('duration_ns', (span) => span.durationNano),
    enumColumn('role', ROLES, (span) => span.role),
    enumColumn('outcome', OUTCOMES, (span) => span.outcome),
    booleanColumn('is_recovered', (span) => span.isRecovered),
    unsignedColumn('step_id', (_, stored) => stored.stepId),
    textColumn('name', (span) => (span.name === span.step ? undefined : span.name)),
    booleanColumn('has_derived_id', createDerivedIdCheck()),
    ...SPAN_FIELDS.filter(({ field, isOfResource }) => field !== 'step' && !isOfResource).map((field) =>
      fieldColumn(field, fields),
    ),
    timingsColumn('timings_s'),
    unsignedColumn('resource_id', (_, stored) => stored.resourceId),
    unsignedColumn('kind', (span) => span.rest?.kind),
    unsignedColumn('flags', (span) => span.rest?.flags),
    textColumn('rest', restOf),
    unsignedColumn('arrival', (_, stored) => stored.arrival),
  ];
}

/** The column of a field that holds a text or a number. */
function fieldColumn({ field, kind, column }: SpanField, fields: FieldValues): Column {
  switch (kind) {
    case 'text':
      return textColumn(column, fields.of<string>(field));
    case 'integer':
      return integerColumn(column, fields.of<number>(field));
    case 'double':
      return doubleColumn(column, fields.of<number>(field));
  }
}

/**
 * The values of the fields that not every span has, for one chunk. Going through the fields that each span has takes a
 * fraction of the time that asking each of them for every field takes.
 */
export class FieldValues {
  readonly #byField = new Map<string, FieldSlots>();

  /** The values of `field`. */
  of<Value extends string | number>(field: string): SparseValues<Value> {
    const slots = new FieldSlots();
    this.#byField.set(field, slots);
    return { isEmpty: () => slots.isEmpty, at: (row) => slots.values[row] as Value | undefined };
  }

  /** Takes the values of `spans`, at most one vector; those of the chunk before are gone. */
  read(spans: readonly StoredSpan[]): void {
    for (const slots of this.#byField.values()) slots.clear();
    for (let row = 0; row < spans.length; row++) {
      const { record } = spans[row]!;
      for (const field in record) {
        const slots = this.#byField.get(field);
        if (slots === undefined) continue;
        const value = record[field as keyof SpanRecord];
        if (value === undefined) continue;
        slots.values[row] = value as string | number;
        slots.isEmpty = false;
      }
    }
  }
}

class FieldSlots {
  readonly values: (string | number | undefined)[] = Array.from({ length: MAX_CHUNK_ROWS }, () => undefined);
  isEmpty = true;

  clear(): void {
    if (this.isEmpty) return;
    this.values.fill(undefined);
    this.isEmpty = true;
  }
}

/** Tells whether a span's trace id follows from its conversation id; false without one. */
function createDerivedIdCheck(): (span: SpanRecord) => boolean {
  // The spans of a conversation mostly arrive together, and hashing is expensive.
  let lastConversationId: string | undefined;
  let lastTraceId: string | undefined;
  return ({ conversationId, traceId }) => {
    if (conversationId === undefined) return false;
    if (conversationId !== lastConversationId) {
      lastConversationId = conversationId;
      lastTraceId = traceIdOf(conversationId);
    }
    return traceId === lastTraceId;
  };
}

/** The parts of `span.rest` that have neither a column nor a place in the table `resources`, as JSON. */
function restOf({ rest }: SpanRecord): string | undefined {
  if (rest === undefined) return undefined;
  const { attributes, events, links, status, traceState } = rest;
  const hasOthers = events !== undefined || links !== undefined || status !== undefined || traceState !== undefined;
  if (hasOthers) return JSON.stringify({ traceState, status, attributes, events, links });
  return attributes === undefined ? undefined : ATTRIBUTE_TEXTS.textOf(attributes);
}

/** How many lists of attributes are remembered: each kind of span has one. */
const REMEMBERED_LISTS = 8;

/** Remembers what some lists of attributes are as JSON: in most spans they are the same objects. */
class AttributeTexts {
  readonly #lists: { attributes: readonly unknown[]; text: string }[] = [];
  #next = 0;

  textOf(attributes: readonly unknown[]): string {
    for (const known of this.#lists) {
      const { length } = known.attributes;
      if (length !== attributes.length) continue;
      let same = 0;
      while (same < length && known.attributes[same] === attributes[same]) same += 1;
      if (same === length) return known.text;
    }
    const text = JSON.stringify({ attributes });
    // A long one would be kept for nothing, because its texts differ.
    if (text.length <= MAX_REMEMBERED_TEXT) {
      this.#lists[this.#next] = { attributes, text };
      this.#next = (this.#next + 1) % REMEMBERED_LISTS;
    }
    return text;
  }
}

const MAX_REMEMBERED_TEXT = 500;
const ATTRIBUTE_TEXTS = new AttributeTexts();

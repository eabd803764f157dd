import { OUTCOMES } from '@convotel/conventions';
import { SPAN_FIELDS } from '../../model/span-record.ts';
import type { SpanRecord, SpanRest } from '../../model/span-record.ts';
import {
  AnswerFormatError,
  encodeValue,
  readAnything,
  readBigint,
  readBoolean,
  readNumber,
  readObject,
  readOneOf,
  readRecordOf,
  readText,
} from './wire-values.ts';
import type { Reader } from './wire-values.ts';

/**
 * The wire format of the spans of one conversation: by field instead of by span, because there may be tens of thousands
 * of spans with mostly equal values.
 *
 * `same` contains the fields in which all spans agree. `each` contains a list per field, with an item per span that is
 * null if the span has no value. A field that no span has is in neither. Fields of `rest` have a prefix, such as
 * `rest.kind`. NaN is written as `"NaN"`, because null means no value.
 */
export interface SpanTable {
  same: Readonly<Record<string, unknown>>;
  /** Always has `spanId`. */
  each: Readonly<Record<string, readonly unknown[]>>;
}

const readValue: Reader<number> = (json, place) => (json === 'NaN' ? Number.NaN : readNumber(json, place));

/** The fields that every span has. */
const REQUIRED: Readonly<Record<string, Reader<unknown>>> = {
  traceId: readText,
  spanId: readText,
  name: readText,
  startTimeUnixNano: readBigint,
  durationNano: readBigint,
  role: readOneOf(['root', 'step', 'other']),
  depth: readValue,
  outcome: readOneOf(OUTCOMES),
  isRecovered: readBoolean,
};

const OPTIONAL: Readonly<Record<string, Reader<unknown>>> = {
  parentSpanId: readText,
  ...Object.fromEntries(
    SPAN_FIELDS.filter(({ field }) => field !== 'depth').map(({ field, kind }) => [
      field,
      kind === 'text' ? readText : readValue,
    ]),
  ),
  timingsSeconds: readRecordOf(readNumber),
};

const REST: { readonly [Field in keyof Required<SpanRest>]: Reader<unknown> } = {
  kind: readAnything,
  traceState: readAnything,
  flags: readAnything,
  status: readAnything,
  attributes: readAnything,
  events: readAnything,
  links: readAnything,
  resourceAttributes: readAnything,
  scope: readAnything,
};

const REST_PREFIX = 'rest.';

/** One field of the table: its name, and where its value is in a span. */
interface TableField {
  name: string;
  key: string;
  isOfRest: boolean;
  read: Reader<unknown>;
}

const FIELDS: readonly TableField[] = [
  ...Object.entries({ ...REQUIRED, ...OPTIONAL }).map(([key, read]) => ({ name: key, key, isOfRest: false, read })),
  ...Object.entries(REST).map(([key, read]) => ({ name: REST_PREFIX + key, key, isOfRest: true, read })),
];

/** Number of items per part of the text. */
const ITEMS_PER_PART = 1024;

/** Encodes `spans` as JSON in parts, so that the caller can do other work in between. */
export function* spanTableParts(spans: readonly SpanRecord[]): Iterable<string> {
  const same: string[] = [];
  yield '{"each":{';
  let before = '';
  const occurring = fieldsIn(spans);
  for (const { name, key, isOfRest } of FIELDS) {
    if (!occurring.has(name)) continue;
    const values = valuesOf(spans, key, isOfRest);
    const [first] = values;
    if (name !== 'spanId' && isEach(values, first)) {
      if (first !== undefined) same.push(`"${name}":${encodeItems([first])}`);
      continue;
    }
    yield `${before}"${name}":[`;
    before = ',';
    for (let from = 0; from < values.length; from += ITEMS_PER_PART) {
      const part = encodeItems(values.slice(from, from + ITEMS_PER_PART));
      yield from === 0 ? part : `,${part}`;
    }
    yield ']';
  }
  yield `},"same":{${same.join(',')}}}`;
}

/** The names of the fields that occur. Checking every span for every field would take longer than the encoding. */
function fieldsIn(spans: readonly SpanRecord[]): Set<string> {
  const names = new Set<string>(['spanId']);
  for (const span of spans) {
    for (const key of Object.keys(span)) names.add(key);
    if (span.rest !== undefined) for (const key of Object.keys(span.rest)) names.add(REST_PREFIX + key);
  }
  return names;
}

function valuesOf(spans: readonly SpanRecord[], key: string, isOfRest: boolean): unknown[] {
  const values: unknown[] = [];
  for (const span of spans) {
    const fields = (isOfRest ? span.rest : span) as unknown as Readonly<Record<string, unknown>> | undefined;
    values.push(fields?.[key]);
  }
  return values;
}

function isEach(values: readonly unknown[], expected: unknown): boolean {
  for (const value of values) if (value !== expected) return false;
  return true;
}

/** Encodes `values` as JSON, without the brackets. */
function encodeItems(values: readonly unknown[]): string {
  const written: unknown[] = [];
  // Strings and numbers, the usual case, need no conversion.
  let isPlain = true;
  for (const value of values) {
    if (typeof value === 'object') isPlain = false;
    if (value === undefined) written.push(null);
    else if (typeof value === 'bigint') written.push(value.toString());
    else if (typeof value === 'number' && !Number.isFinite(value)) written.push(String(value));
    else written.push(value);
  }
  return (isPlain ? JSON.stringify(written) : encodeValue(written)).slice(1, -1);
}

/** An array whose items are checked later. */
const readList: Reader<readonly unknown[]> = (json, place) => {
  if (!Array.isArray(json)) throw new AnswerFormatError(`${place} is not an array`);
  return json;
};

const readTable = readObject(
  { same: readRecordOf(readAnything), each: readRecordOf(readList) },
  {},
) satisfies Reader<SpanTable>;

/** Decodes the output of {@link spanTableParts}. */
export const readSpanTable: Reader<SpanRecord[]> = (json, place) => {
  const { same, each } = readTable(json, place);
  const count = each['spanId']?.length;
  if (count === undefined) throw new AnswerFormatError(`${place}.each.spanId is missing`);

  const template: Template = { span: {}, rest: {} };
  const columns: TableColumn[] = [];
  for (const field of FIELDS) {
    const { name, key, isOfRest, read } = field;
    const values = each[name];
    const part = isOfRest ? template.rest : template.span;
    if (values !== undefined) {
      if (values.length !== count) throw new AnswerFormatError(`${place}.each.${name} does not have ${count} items`);
      columns.push({ field, values, place: `${place}.each.${name}` });
      if (!values.includes(null)) part[key] = undefined;
    } else if (Object.hasOwn(same, name)) {
      part[key] = read(same[name], `${place}.same.${name}`);
    } else if (Object.hasOwn(REQUIRED, name) && count > 0) {
      throw new AnswerFormatError(`${place} has no ${name}`);
    }
  }
  const spans = copiesOf(template, count);
  for (const column of columns) fillColumn(spans, column);
  return spans as unknown as SpanRecord[];
};

/** The fields that every span has, with the values in which all agree. */
interface Template {
  span: Record<string, unknown>;
  rest: Record<string, unknown>;
}

/** Copying a complete object takes a tenth of the time of adding the fields one by one. */
function copiesOf({ span, rest }: Template, count: number): Record<string, unknown>[] {
  // Created at once, so that the fields are stored in the object itself, and in its copies.
  const restTemplate = Object.fromEntries(Object.entries(rest));
  const hasRest = Object.keys(rest).length > 0;
  const template = Object.fromEntries(Object.entries(hasRest ? { ...span, rest: restTemplate } : span));
  const copies = Array.from({ length: count }, () => ({ ...template }));
  if (hasRest) for (const copy of copies) copy['rest'] = { ...restTemplate };
  return copies;
}

interface TableColumn {
  field: TableField;
  values: readonly unknown[];
  place: string;
}

/** Sets one field in the spans that have a value. */
function fillColumn(spans: Record<string, unknown>[], { field, values, place }: TableColumn): void {
  const { name, key, isOfRest, read } = field;
  const isRequired = Object.hasOwn(REQUIRED, name);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === null && !isRequired) continue;
    const span = spans[index]!;
    const owner = isOfRest ? ((span['rest'] ??= {}) as Record<string, unknown>) : span;
    owner[key] = read(value, place);
  }
}

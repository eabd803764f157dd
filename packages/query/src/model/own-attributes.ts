import { ATTRIBUTE } from '@convotel/conventions';
import { compareText } from './order.ts';
import { SPAN_FIELD_BY_ATTRIBUTE } from './span-fields.ts';
import type { SpanRecord } from './span-record.ts';

/** The value of an attribute as a program set it. */
export type AttributeValue = string | number | boolean | AttributeValue[] | { [key: string]: AttributeValue } | null;

/** Attributes whose meaning the conventions say; the others are the program's own. */
const CONVENTIONAL = /^(?:conversation|gen_ai)\.|^session\.id$|^error\.type$/;

/** The attributes that the program set on the span, by name; whole numbers beyond 2^53 as texts. */
export function ownAttributesOf({ rest }: SpanRecord): Record<string, AttributeValue> {
  const entries: [string, AttributeValue][] = [];
  for (const attribute of rest?.attributes ?? []) {
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

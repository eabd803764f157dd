import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/decode-otlp-json.ts';
import { isJsonObject } from '../../otlp/json-fields.ts';

/**
 * What Jaeger puts in the place of a service name that is absent, empty or no text before it stores a span
 * (jaeger `internal/jptrace/sanitizer/emptyservicename.go`).
 */
const SERVICE_NAME_PLACEHOLDERS: ReadonlySet<string> = new Set([
  'missing-service-name',
  'empty-service-name',
  'service-name-wrong-type',
]);

/** Where Jaeger notes what it changed in a span (jaeger `internal/jptrace/attributes.go`). */
const WARNINGS_ATTRIBUTE = '@jaeger@warnings';

/** The traces of one answer. */
export interface ReadTraces {
  /** Spans of every trace that `isWanted`. */
  spans: SpanRecord[];
  /** Spans of each trace of the answer, wanted or not, by trace id. */
  spanCounts: ReadonlyMap<string, number>;
}

/**
 * Reads `result`, an OTLP/JSON `TracesData` with the spans of all traces found. Undone is what Jaeger changes when it
 * stores: placeholders for service names, and the nanosecond that it adds to a span without duration.
 *
 * @param isWanted Told a trace id and how many spans the answer has of it.
 * @throws `OtlpFormatError`
 */
export function readTraces(result: unknown, isWanted: (traceId: string, spanCount: number) => boolean): ReadTraces {
  // Zero fields are left out, so an empty answer is an empty object, or nothing at all.
  if (result === undefined || result === null) return { spans: [], spanCounts: new Map() };
  const spanCounts = countSpans(result);
  const unwanted = new Set([...spanCounts].flatMap(([id, count]) => (isWanted(id, count) ? [] : id)));
  if (unwanted.size === spanCounts.size && unwanted.size > 0) return { spans: [], spanCounts };
  const spans = decodeOtlpJson(unwanted.size === 0 ? result : withoutTraces(result, unwanted));
  spans.forEach(undoChanges);
  return { spans, spanCounts };
}

function undoChanges(span: SpanRecord): void {
  if (span.serviceName !== undefined && SERVICE_NAME_PLACEHOLDERS.has(span.serviceName)) delete span.serviceName;
  const attributes = span.rest?.attributes;
  const warnings = attributes?.findIndex((entry) => isJsonObject(entry) && entry['key'] === WARNINGS_ATTRIBUTE) ?? -1;
  if (warnings === -1) return;
  attributes!.splice(warnings, 1);
  if (span.durationNano === 1n) span.durationNano = 0n;
}

function countSpans(result: unknown): Map<string, number> {
  const spanCounts = new Map<string, number>();
  for (const scopeGroup of scopeGroupsOf(result)) {
    for (const span of objectsIn(scopeGroup['spans'])) {
      const traceId = span['traceId'];
      if (typeof traceId === 'string') spanCounts.set(traceId, (spanCounts.get(traceId) ?? 0) + 1);
    }
  }
  return spanCounts;
}

/** Takes the spans of `unwanted` traces out of `result`, which nobody else holds. */
function withoutTraces(result: unknown, unwanted: ReadonlySet<string>): unknown {
  for (const scopeGroup of scopeGroupsOf(result)) {
    scopeGroup['spans'] = objectsIn(scopeGroup['spans']).filter((span) => !unwanted.has(String(span['traceId'])));
  }
  return result;
}

function scopeGroupsOf(result: unknown): Record<string, unknown>[] {
  if (!isJsonObject(result)) return [];
  return objectsIn(result['resourceSpans']).flatMap((group) => objectsIn(group['scopeSpans']));
}

/** The objects in an array; what is none of them the decoder reports. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The span without texts and without whatever no answer over many conversations reads. */
export function slimSpan({ rest: _rest, inputText: _input, outputText: _output, ...slim }: SpanRecord): SpanRecord {
  return slim;
}

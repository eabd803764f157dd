import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/read-span.ts';
import { isJsonObject, readArray } from '../../otlp/json-fields.ts';
import type { SpanDetail } from '../../otlp/read-span.ts';

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

/** What a span is given that ends when it starts, or before, with a warning (`…/negative_duration_santizer.go`). */
const LENT_NANO = 1n;

/**
 * Reads `result`, an OTLP/JSON `TracesData` with the spans of all traces found; zero fields are left out, so that an empty
 * one has no field, or is missing. What Jaeger changed when it stored the spans is undone.
 * @throws `OtlpFormatError`
 */
export function readTraces(result: unknown, detail: SpanDetail): SpanRecord[] {
  if (result === undefined || result === null) return [];
  const spans = decodeOtlpJson(result, detail);
  let isLent = false;
  for (const span of spans) {
    if (span.serviceName !== undefined && SERVICE_NAME_PLACEHOLDERS.has(span.serviceName)) delete span.serviceName;
    if (span.durationNano === LENT_NANO) isLent = true;
    if (hasWarning(span.rest)) {
      const attributes = listIn(span.rest, 'attributes').filter((entry) => !isWarning(entry));
      span.rest = { ...span.rest, attributes };
    }
  }
  if (isLent) {
    const sent = spansIn(result);
    spans.forEach((span, index) => {
      if (span.durationNano === LENT_NANO && hasWarning(sent[index])) span.durationNano = 0n;
    });
  }
  return spans;
}

/** The spans as they were sent, in the order in which they are decoded. */
function spansIn(result: unknown): unknown[] {
  return listIn(result, 'resourceSpans')
    .flatMap((group) => listIn(group, 'scopeSpans'))
    .flatMap((group) => listIn(group, 'spans'));
}

function hasWarning(span: unknown): boolean {
  return listIn(span, 'attributes').some(isWarning);
}

function isWarning(entry: unknown): boolean {
  return isJsonObject(entry) && entry['key'] === WARNINGS_ATTRIBUTE;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  return isJsonObject(value) ? readArray(value[name], name) : [];
}

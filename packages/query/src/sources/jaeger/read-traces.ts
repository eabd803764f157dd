import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/read-span.ts';
import { isJsonObject, readArray } from '../../otlp/json-fields.ts';
import type { SpanDetail } from '../../otlp/read-span.ts';

/**
 * Jaeger stores these in place of a service name that is absent, empty or not a string (jaeger
 * `internal/jptrace/sanitizer/emptyservicename.go`).
 */
const SERVICE_NAME_PLACEHOLDERS: ReadonlySet<string> = new Set([
  'missing-service-name',
  'empty-service-name',
  'service-name-wrong-type',
]);

/** Attribute in which Jaeger records its changes to a span (jaeger `internal/jptrace/attributes.go`). */
const WARNINGS_ATTRIBUTE = '@jaeger@warnings';

/**
 * Jaeger gives this duration, with a warning, to spans that do not end after their start
 * (`…/negative_duration_santizer.go`).
 */
const SANITIZED_DURATION_NANO = 1n;

/**
 * Reads `result`, an OTLP/JSON `TracesData` with the spans of all traces found. Empty fields are omitted in it, and an
 * empty result is missing altogether. Undoes the changes that Jaeger made when it stored the spans.
 * @throws `OtlpFormatError`
 */
export function readTraces(result: unknown, detail: SpanDetail): SpanRecord[] {
  if (result === undefined || result === null) return [];
  const spans = decodeOtlpJson(result, detail);
  let mayBeSanitized = false;
  for (const span of spans) {
    if (span.serviceName !== undefined && SERVICE_NAME_PLACEHOLDERS.has(span.serviceName)) delete span.serviceName;
    if (span.durationNano === SANITIZED_DURATION_NANO) mayBeSanitized = true;
    if (hasWarning(span.rest)) {
      const attributes = listIn(span.rest, 'attributes').filter((entry) => !isWarning(entry));
      span.rest = { ...span.rest, attributes };
    }
  }
  if (mayBeSanitized) {
    const sent = spansIn(result);
    spans.forEach((span, index) => {
      if (span.durationNano === SANITIZED_DURATION_NANO && hasWarning(sent[index])) span.durationNano = 0n;
    });
  }
  return spans;
}

/** The undecoded spans, in the order of the decoded ones. */
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

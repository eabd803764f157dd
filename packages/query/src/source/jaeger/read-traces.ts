import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/decode-otlp-json.ts';
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

/**
 * What Jaeger stores for a span that ends when it starts, or before (jaeger
 * `internal/jptrace/sanitizer/negative_duration_santizer.go`). No clock tells so short a time from none.
 */
const LEAST_STORED_NANO = 1n;

/**
 * Reads `result`, an OTLP/JSON `TracesData` with the spans of all traces found; zero fields are left out, so that an empty
 * one has no field, or is missing. What Jaeger changed when it stored the spans is undone.
 * @throws `OtlpFormatError`
 */
export function readTraces(result: unknown, detail: SpanDetail): SpanRecord[] {
  if (result === undefined || result === null) return [];
  const spans = decodeOtlpJson(result, detail);
  for (const span of spans) {
    if (span.serviceName !== undefined && SERVICE_NAME_PLACEHOLDERS.has(span.serviceName)) delete span.serviceName;
    if (span.durationNano === LEAST_STORED_NANO) span.durationNano = 0n;
  }
  return spans;
}

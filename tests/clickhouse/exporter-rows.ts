import { encodeOtlpJson } from '@convotel/suite';
import type { SpanRecord } from '@convotel/query';

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: string; doubleValue?: number; boolValue?: boolean };
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: KeyValue[];
  status: { code?: number; message?: string };
}

interface Request {
  resourceSpans: { resource: { attributes: KeyValue[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

/** `spans` as the collector's exporter inserts them: every attribute as text. */
export function exporterRows(spans: readonly SpanRecord[]): object[] {
  const { resourceSpans } = JSON.parse(encodeOtlpJson(spans)) as Request;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans.map((span) => rowOf(span, resource.attributes))),
  );
}

function rowOf(span: OtlpSpan, resourceAttributes: KeyValue[]): object {
  const resource = textsOf(resourceAttributes);
  const duration = BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano);
  return {
    Timestamp: `${span.startTimeUnixNano.padStart(10, '0').slice(0, -9)}.${span.startTimeUnixNano.slice(-9)}`,
    TraceId: span.traceId,
    SpanId: span.spanId,
    ParentSpanId: span.parentSpanId,
    SpanName: span.name,
    SpanKind: 'Internal',
    ServiceName: resource['service.name'] ?? '',
    ResourceAttributes: resource,
    ScopeName: 'test',
    SpanAttributes: textsOf(span.attributes),
    // The exporter writes a negative one as the unsigned number with the same bits.
    Duration: String(BigInt.asUintN(64, duration)),
    StatusCode: span.status.code === 2 ? 'Error' : 'Unset',
    StatusMessage: span.status.message ?? '',
  };
}

function textsOf(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

import { describe, expect, test } from '@jest/globals';
import {
  ENCODED_JSON,
  JsonSpanEncoder,
  ProtobufSpanEncoder,
  Redactor,
  RECORD_HEADER_BYTES,
} from '@convotel/sdk/internal';
import { ENCODED_PROTOBUF } from '../../src/encoding/protobuf.ts';
import type { SpanEncoder } from '../../src/encoding/span-encoder.ts';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

const redactor = new Redactor({
  captureContent: 'full',
  otherContent: 'keep',
  errorMessages: 'redacted',
  warn: () => {},
});

/** Spans with everything that a span can carry, from the SDK itself. */
function spans(): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'encoders', list: ['a', 'b'], size: 7 }),
    spanProcessors: [
      { onStart() {}, onEnd: (span) => void ended.push(span), forceFlush: async () => {}, shutdown: async () => {} },
    ],
  });
  const tracer = provider.getTracer('scope', '1.2.3', { schemaUrl: 'https://example.com/schema' });
  const link = {
    context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true },
    attributes: { of: 'a link' },
  };
  const first = tracer.startSpan('first', {
    kind: SpanKind.CLIENT,
    links: [link],
    startTime: [1_791_000_000, 123_456_789],
  });
  first.setAttributes({
    text: 'grüße 😀 "quoted" \\ \n',
    empty: '',
    yes: true,
    no: false,
    zero: 0,
    small: -5,
    big: 2 ** 53,
    huge: 2 ** 62,
    ratio: 0.1,
    tiny: 5e-324,
  });
  first.setAttributes({ texts: ['x', 'y'], numbers: [1, 2.5, -3], flags: [true, false], long: 'z'.repeat(20_000) });
  first
    .addEvent('event', { attempt: 1, note: 'first' }, [1_791_000_001, 5])
    .setStatus({ code: SpanStatusCode.ERROR, message: 'went wrong' });
  first.end([1_791_000_002, 999_999_999]);
  tracer
    .startSpan('second', { startTime: [1_791_000_003, 0] })
    .setStatus({ code: SpanStatusCode.OK })
    .end([1_791_000_003, 1]);
  return ended;
}

function encoded(encoder: SpanEncoder, span: ReadableSpan): Buffer {
  const length = encoder.span(span) as number;
  return Buffer.from(encoder.bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length));
}

interface Field {
  number: number;
  value: string | Field[];
}

/** Fields of a protobuf message by number, messages inside read too where they can be; zeros, which mean absence, left out. */
function tree(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('cut');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    if (number === 0) throw new Error('field 0');
    if ((tag & 7) === 0) {
      const value = varint();
      if (value !== 0n) fields.push({ number, value: String(value) });
    } else if ((tag & 7) === 1) fields.push({ number, value: Buffer.from(take(8)).toString('hex') });
    else if ((tag & 7) === 5) fields.push({ number, value: Buffer.from(take(4)).toString('hex') });
    else if ((tag & 7) === 2) {
      const inside = take(Number(varint()));
      let value: string | Field[] = Buffer.from(inside).toString('base64');
      try {
        if (inside.length > 0) value = tree(inside);
      } catch {
        // A text or bytes.
      }
      if (value.length > 0) fields.push({ number, value });
    } else throw new Error('wire type');
  }
  return fields.toSorted((a, b) => a.number - b.number);
}

describe('what is written is what OpenTelemetry writes', () => {
  test('as protobuf', () => {
    const all = spans();
    const encoder = new ProtobufSpanEncoder(redactor);
    const [resource, scope] = [encoder.resource(all[0]!.resource), encoder.scope(all[0]!.instrumentationScope)];
    const request = ENCODED_PROTOBUF.request(resource, [{ scope, spans: all.map((span) => encoded(encoder, span)) }]);
    expect(tree(request)).toEqual(tree(ProtobufTraceSerializer.serializeRequest(all)!));
  });

  test('as JSON', () => {
    const all = spans();
    const encoder = new JsonSpanEncoder(redactor);
    const [resource, scope] = [encoder.resource(all[0]!.resource), encoder.scope(all[0]!.instrumentationScope)];
    const request = ENCODED_JSON.request(resource, [{ scope, spans: all.map((span) => encoded(encoder, span)) }]);
    expect(plain(JSON.parse(request.toString()))).toEqual(
      plain(JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(all)!).toString())),
    );
  });
});

/** Without what means the same as being absent; whole numbers as texts, in which both are allowed. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const isAbsent =
        each === undefined ||
        (each === 0 && key !== 'intValue') ||
        (Array.isArray(each) && each.length === 0 && key !== 'values');
      if (isAbsent || (key === 'code' && each === 0)) return [];
      return [[key, key === 'intValue' ? BigInt(each as string).toString() : plain(each)]];
    }),
  );
}

describe.each([
  ['JSON', () => new JsonSpanEncoder(redactor), ENCODED_JSON],
  ['protobuf', () => new ProtobufSpanEncoder(redactor), ENCODED_PROTOBUF],
] as const)('%s', (_name, make, form) => {
  test('a text of 10 MiB is cut and marked, at no cost for others', () => {
    const [span] = spans();
    const encoder = make();
    span!.attributes['huge'] = 'h'.repeat(10 * 2 ** 20);
    const bytes = encoded(encoder, span!).toString('latin1');
    expect(bytes.length).toBeLessThan(500_000);
    expect(bytes).toContain('[cut: 10485760 characters]');
  });

  test('a span of 21 MiB is cut until it fits', () => {
    const [span] = spans();
    const encoder = make();
    for (let index = 0; index < 84; index += 1) span!.attributes[`part${index}`] = 'p'.repeat(2 ** 18);
    expect(encoder.span(span!)).toBeLessThan(2 ** 21);
  });

  test('a secret inside a map is masked by its key', () => {
    const [span] = spans();
    const config = { db: { password: 'hunter', name: 'calls' } };
    Object.assign(span!.attributes, { config });
    const bytes = encoded(make(), span!).toString('latin1');
    expect(bytes).not.toContain('hunter');
    expect(bytes).toContain('calls');
  });

  test('ids that are not ids cannot be sent', () => {
    const [span] = spans();
    const broken = {
      ...span!,
      spanContext: () => ({ traceId: 'nope', spanId: 'nope', traceFlags: 1 }),
    } as ReadableSpan;
    expect(make().span(broken)).toBe('unsendable');
  });

  test('a start that is abandoned becomes a whole span', () => {
    const [span] = spans();
    const encoder = make();
    const started = encoder.start(span!);
    if (started === 'unsendable') throw new Error('cannot happen');
    const start = encoder.bytes.subarray(RECORD_HEADER_BYTES + 12, RECORD_HEADER_BYTES + started.length);
    const abandoned = form.abandon(Buffer.from(start), 1_791_000_009n * 1_000_000_000n);
    expect(form.keyOf(abandoned)).toBe(form.keyOf(encoded(encoder, span!)));
    expect(abandoned.toString('latin1')).toContain('conversation.recovered');
    if (form === ENCODED_JSON)
      expect(JSON.parse(abandoned.toString())).toMatchObject({
        endTimeUnixNano: '1791000009000000000',
        status: { code: 2 },
      });
  });
});

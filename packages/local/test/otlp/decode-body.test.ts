import { describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { OtlpFormatError } from '@convotel/query/engine';
import { decodeTraceBody } from '../../src/otlp/decode-body.ts';

/** Spans with everything that OTLP can say, made by the SDK. */
function makeSpans(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'bot', 'host.name': 'häuschen' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('test', '1.2.3');
  const other = tracer.startSpan('other');
  const span = tracer.startSpan('gpt', {
    kind: SpanKind.CLIENT,
    startTime: [1_760_000_000, 123_456_789],
    links: [{ context: other.spanContext(), attributes: { why: 'queued' } }],
    attributes: {
      'conversation.id': 'c\u0000 👋',
      'conversation.step.name': 'gpt',
      'conversation.step.depth': 2,
      'conversation.input.chars': 12,
      'conversation.step.timing.queue_wait': 0.25,
      'conversation.recovered': true,
      negative: -5,
      large: 2 ** 53 - 1,
      fraction: -0.125,
      texts: ['a', 'b'],
      no: false,
    },
  });
  span.addEvent('retry', { after: 0.5 }, [1_760_000_001, 5]);
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'rate limit' });
  span.end([1_760_000_004, 0]);
  other.end();
  return exporter.getFinishedSpans();
}

test('reads the same spans from both encodings of the stock serializers', () => {
  const spans = makeSpans();
  const fromJson = decodeTraceBody(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!), 'json');
  const fromProtobuf = decodeTraceBody(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)!), 'protobuf');
  expect(fromProtobuf[0]).toMatchObject({
    name: 'gpt',
    startTimeUnixNano: 1_760_000_000_123_456_789n,
    durationNano: 3_876_543_211n,
    conversationId: 'c\u0000 👋',
    depth: 2,
    isRecovered: true,
    inputChars: 12,
    timingsSeconds: { queue_wait: 0.25 },
    outcome: 'failed',
    errorMessage: 'rate limit',
    serviceName: 'bot',
    rest: { kind: 3, scope: { name: 'test', version: '1.2.3' } },
  });
  // JSON may write an integer as a string or a number, and a count of 0; protobuf leaves that out.
  const normalized = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, field: unknown) =>
        key === 'droppedAttributesCount'
          ? undefined
          : typeof field === 'bigint' || key === 'intValue' || key === 'timeUnixNano'
            ? String(field)
            : field,
      ),
    );
  expect(normalized(fromProtobuf)).toEqual(normalized(fromJson));
  expect(fromProtobuf).toHaveLength(2);
});

describe('protobuf that is refused', () => {
  const valid = Buffer.from(ProtobufTraceSerializer.serializeRequest(makeSpans())!);
  const field = (number: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);
  const varint = (value: number): Buffer =>
    value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)]);
  const nested = (levels: number): Buffer => {
    let value: Buffer = field(1, Buffer.from('x'));
    for (let level = 0; level < levels; level++) value = field(5, field(1, value));
    const attribute = field(9, field(2, value));
    return field(1, field(2, field(2, attribute)));
  };

  test.each<[string, Buffer, RegExp]>([
    ['cut within a field', valid.subarray(0, valid.length - 3), /length past the end/],
    ['a wrong wire type', Buffer.from([0x08, 1]), /wire type 0 instead of 2/],
    ['field number 0', Buffer.from([0x02, 0]), /number 0/],
    ['a message that ends within a field', field(1, Buffer.from([0x12, 5, 0])), /past the end|within a field/],
    ['values nested too deep', nested(40), /nested more than 64 deep/],
    ['a name that is no UTF-8', field(1, field(2, field(2, field(5, Buffer.from([0xff]))))), /not valid/],
    ['a short trace id', field(1, field(2, field(2, field(1, Buffer.from([1, 2]))))), /traceId must be 32 hex digits/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeTraceBody(bytes, 'protobuf')).toThrow(OtlpFormatError);
    expect(() => decodeTraceBody(bytes, 'protobuf')).toThrow(message);
  });

  test('a name that is refused is refused again, and no other is taken for it', () => {
    const named = (name: Buffer): Buffer => field(1, field(2, field(2, field(5, name))));
    const [broken, alike] = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0x62])];
    for (const name of [alike, broken, broken]) {
      // Without ids, the one whose name can be read is refused for these.
      const message = name === alike ? /traceId/ : /not valid/;
      expect(() => decodeTraceBody(named(name), 'protobuf')).toThrow(message);
    }
  });

  test('fields and groups that are unknown are skipped', () => {
    // Field 99 of 64 bits, then an empty group 20.
    const unknown = Buffer.from([0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa3, 0x01, 0xa4, 0x01]);
    expect(decodeTraceBody(Buffer.concat([unknown, valid]), 'protobuf')).toHaveLength(2);
  });
});

describe('JSON that is nested', () => {
  type Place = 'attributes' | 'events' | 'links' | 'resource';
  /** A request with arrays in arrays at a place, nested `levels` deep in all. */
  const request = (place: Place, levels: number): Buffer => {
    const nested = (levelsAround: number): string =>
      '['.repeat(levels - levelsAround) + ']'.repeat(levels - levelsAround);
    const ids = `"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}"`;
    const inSpan = {
      attributes: `"attributes":[{"key":"a","value":${nested(9)}}]`,
      events: `"events":[{"name":${nested(9)}}]`,
      links: `"links":[{${ids},"attributes":${nested(9)}}]`,
      resource: '"attributes":[]',
    }[place];
    const resource = place === 'resource' ? `{"attributes":[{"key":"a","value":${nested(6)}}]}` : 'null';
    return Buffer.from(`{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"spans":[{${ids},${inSpan}}]}]}]}`);
  };

  test.each<Place>(['attributes', 'events', 'links', 'resource'])('64 levels of %s are kept, 65 refused', (place) => {
    expect(decodeTraceBody(request(place, 64), 'json')).toHaveLength(1);
    expect(() => decodeTraceBody(request(place, 65), 'json')).toThrow(/the JSON is nested more than 64 deep/);
  });

  test('what is skipped may be nested as it likes', () => {
    const skipped = `{"unknown":${'['.repeat(200)}${']'.repeat(200)}}`;
    expect(decodeTraceBody(Buffer.from(skipped), 'json')).toEqual([]);
  });
});

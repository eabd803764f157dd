import { describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import { parseCompactOtlpJson } from '../../src/otlp/compact-json.ts';
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

/** JSON may write an integer as a string or a number, and a count of 0; protobuf leaves that out. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, field: unknown) =>
      key === 'droppedAttributesCount'
        ? undefined
        : typeof field === 'bigint' || key === 'intValue' || key === 'timeUnixNano'
          ? String(field)
          : field,
    ),
  );
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
  expect(comparable(fromProtobuf)).toEqual(comparable(fromJson));
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
    ['more objects than are decoded', Buffer.alloc(4_000_000, field(1, Buffer.alloc(0))), /more than 1500000 messages/],
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

  test('an attribute that begins like the one before is read to its end', () => {
    const ids = [field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 1))];
    const value = (text: string): Buffer => field(2, field(1, Buffer.from(text)));
    const attribute = (...parts: Buffer[]): Buffer =>
      field(
        1,
        field(2, field(2, Buffer.concat([...ids, field(9, Buffer.concat([field(1, Buffer.from('k')), ...parts]))]))),
      );
    const valueOf = (body: Buffer): unknown => decodeTraceBody(body, 'protobuf')[0]!.rest?.attributes;
    const first = [{ key: 'k', value: { stringValue: 'first' } }];
    for (let round = 0; round < 3; round++) {
      expect(valueOf(attribute(value('first')))).toEqual(first);
      // An unknown field behind the value, and a second value, which is the one that counts.
      expect(valueOf(attribute(value('first'), field(15, Buffer.from('more'))))).toEqual(first);
      expect(valueOf(attribute(value('first'), value('second')))).toEqual([
        { key: 'k', value: { stringValue: 'second' } },
      ]);
      // The value would end behind the attribute.
      const long = attribute(value('first'));
      long[long.indexOf('first') - 1]! += 1;
      expect(() => valueOf(Buffer.concat([long, field(1, Buffer.alloc(0))]))).toThrow(/ends within a field/);
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

describe('JSON of very many objects', () => {
  const ids = `"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}"`;
  const request = (inSpan: string): Buffer =>
    Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[{${ids},${inSpan}}]}]}]}`);

  test.each([
    ['attributes', `"attributes":[${'{},'.repeat(400_000)}{}]`],
    ['lists in a field that is skipped', `"unknown":[${'[],'.repeat(400_000)}[]]`],
  ])('%s are refused before they take a hundred times the memory', (_, inSpan) => {
    expect(() => decodeTraceBody(request(inSpan), 'json')).toThrow(/too many objects and lists for its size/);
    expect(() => decodeTraceBody(request(inSpan), 'json')).toThrow(OtlpFormatError);
  });

  // In the form that exporters write, and in another one.
  describe.each([
    ['compact', (json: string) => json],
    ['spaced', (json: string) => json.replace(':', ' :')],
  ])('%s: each of them counts once,', (_, written) => {
    const inSpan = (json: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${ids},${json}}]}]}]}`;
    const AROUND_SPAN = 7;
    const known =
      '{"key":"a","value":{"stringValue":"b"}},{"key":"c","value":{"intValue":"1"}},{"key":"d","value":{"intValue":1}}';
    test.each<[place: string, around: number, body: (filling: string) => string, item?: string]>([
      ['the groups of resources', 2, (filling) => `{"resourceSpans":[${filling}]}`],
      ['the groups of scopes', 4, (filling) => `{"resourceSpans":[{"scopeSpans":[${filling}]}]}`],
      ['the spans', 6, (filling) => `{"resourceSpans":[{"scopeSpans":[{"spans":[${filling}]}]}]}`, '{"":0}'],
      ['attributes', AROUND_SPAN + 1, (filling) => inSpan(`"attributes":[${filling}]`)],
      ['attributes beside known ones', AROUND_SPAN + 7, (filling) => inSpan(`"attributes":[${known},${filling}]`)],
      ['events', AROUND_SPAN + 1, (filling) => inSpan(`"events":[${filling}]`), '[]'],
      ['links', AROUND_SPAN + 2, (filling) => inSpan(`"events":[],"links":[${filling}]`)],
      ['a status', AROUND_SPAN + 2, (filling) => inSpan(`"status":{"a":[${filling}]}`)],
      ['a resource', 4, (filling) => `{"resourceSpans":[{"resource":[${filling}]}]}`],
      ['a scope', 6, (filling) => `{"resourceSpans":[{"scopeSpans":[{"scope":[${filling}]}]}]}`],
      ['what is skipped', AROUND_SPAN + 1, (filling) => inSpan(`"unknown":[${filling}]`)],
    ])('in %s', (_place, around, body, item = '{}') => {
      const bodyOf = (objects: number): Buffer =>
        Buffer.from(written(body(Array.from({ length: objects - around }, () => item).join(','))));
      const refusal = (objects: number): string => {
        try {
          decodeTraceBody(bodyOf(objects), 'json');
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect(refusal(100_000)).not.toMatch(/too many objects/);
      expect(refusal(100_001)).toMatch(/too many objects/);
    });
  });

  test('is not what a text is, or what exporters write', () => {
    const value = JSON.stringify('{"a":[{}]}'.repeat(200_000));
    const quoted = request(`"attributes":[{"key":"conversation.input","value":{"stringValue":${value}}}]`);
    expect(decodeTraceBody(quoted, 'json')).toHaveLength(1);
    const short = request(`"attributes":[${'{"key":"a","value":{"intValue":"1"}},'.repeat(120_000)}{"key":"b"}]`);
    expect(decodeTraceBody(short, 'json')).toHaveLength(1);
  });
});

const seed = Number(process.env['CONVOTEL_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));

describe(`what was seen before is read like what is new, CONVOTEL_TEST_SEED=${seed}`, () => {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  const TEXTS = ['', 'a', 'completed', 'zwölf', '"quoted" \\ \n', '\u0000', '👋'.repeat(3), 'x'.repeat(200)];
  const KEYS = [
    'conversation.step.name',
    'conversation.outcome',
    'gen_ai.request.model',
    'a',
    'ä',
    '"',
    'k'.repeat(140),
  ];

  function randomSpans(): ReadableSpan[] {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const tracer = provider.getTracer('test');
    for (let count = 1 + below(4); count > 0; count--) {
      const span = tracer.startSpan(oneOf(TEXTS), { startTime: [below(2_000_000_000), below(1_000_000_000)] });
      for (let attributes = below(6); attributes > 0; attributes--) {
        span.setAttribute(
          oneOf(KEYS),
          oneOf([oneOf(TEXTS), below(1000), -below(10), random(), random() < 0.5, ['a', oneOf(TEXTS)], 1.5e-7]),
        );
      }
      span.end([2_000_000_001, below(1_000_000_000)]);
    }
    return exporter.getFinishedSpans();
  }
  const jsonOf = (spans: ReadableSpan[]): Buffer => Buffer.from(JsonTraceSerializer.serializeRequest(spans)!);

  test('what the stock serializer writes takes the fast way, with white space it does not', () => {
    const body = jsonOf(makeSpans());
    expect(parseCompactOtlpJson(body)).toBeDefined();
    expect(parseCompactOtlpJson(Buffer.concat([Buffer.from(' '), body]))).toBeUndefined();
  });

  test('in JSON, both ways give the same spans', () => {
    for (let round = 0; round < 300; round++) {
      const body = jsonOf(randomSpans());
      expect(parseCompactOtlpJson(body)).toBeDefined();
      expect(decodeTraceBody(body, 'json')).toStrictEqual(decodeOtlpJson(JSON.parse(body.toString())));
    }
  });

  test('in JSON that is changed here and there, both ways give the same spans or the same reason', () => {
    const outcome = (body: Buffer): unknown => {
      try {
        return decodeTraceBody(body, 'json');
      } catch (error) {
        const { message } = error as Error;
        // The place and the context of the error lie elsewhere with the white space.
        return message.startsWith('the body is not valid JSON') ? 'not valid JSON' : message;
      }
    };
    const PIECES = ['null', '[]', '{}', '0', '-1', '1e9', '01', '"', '\\', ',', ':', '"a":1,', '\u00e4', '\u0001', 'x'];
    const seen = new Set<string>();
    for (let round = 0; round < 1000; round++) {
      let body = jsonOf(randomSpans());
      for (let changes = 1 + below(2); changes > 0; changes--) {
        const at = below(body.length + 1);
        const piece = Buffer.from(oneOf(PIECES));
        body = Buffer.concat([body.subarray(0, at), piece, body.subarray(at + oneOf([0, 0, 1, piece.length]))]);
      }
      const found = outcome(body);
      expect([body.toString(), found]).toStrictEqual([
        body.toString(),
        outcome(Buffer.concat([Buffer.from(' '), body])),
      ]);
      seen.add(typeof found === 'string' ? found.slice(0, 3) : 'spans');
    }
    // All kinds were among them, or the changes prove little.
    expect([...seen].sort()).toEqual(expect.arrayContaining(['not', 'res', 'spans']));
  });

  test('in protobuf, spans are those of the same request in JSON', () => {
    for (let round = 0; round < 300; round++) {
      const spans = randomSpans();
      const fromProtobuf = decodeTraceBody(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)!), 'protobuf');
      expect(comparable(fromProtobuf)).toEqual(comparable(decodeTraceBody(jsonOf(spans), 'json')));
    }
  });
});

/** Mulberry32 (public domain, T. Ettinger): a small generator with a seed. */
function seededRandom(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { describe, expect, test } from '@jest/globals';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import type { SpanRecord } from '@convotel/query';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

type Json = Record<string, unknown>;

function text(key: string, stringValue: string): Json {
  return { key, value: { stringValue } };
}

function requestOf(span: Json, resourceAttributes: Json[] = [], scope?: Json): Json {
  return {
    resourceSpans: [{ resource: { attributes: resourceAttributes }, scopeSpans: [{ scope, spans: [span] }] }],
  };
}

function spanOf(span: Json = {}): Json {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: 'gpt',
    startTimeUnixNano: '1759933822123456789',
    endTimeUnixNano: '1759933825690456790',
    ...span,
  };
}

function decodeSpan(span: Json = {}): SpanRecord {
  return decodeOtlpJson(requestOf(spanOf(span)))[0]!;
}

describe('fields', () => {
  test('a step gets a field for every attribute of the conventions', () => {
    const request = requestOf(
      spanOf({
        parentSpanId: 'ABCDEF0123456789',
        attributes: [
          text('conversation.id', 'c1'),
          text('conversation.step.name', 'gpt'),
          { key: 'conversation.step.depth', value: { intValue: '2' } },
          { key: 'conversation.step.attempt', value: { intValue: 3 } },
          text('conversation.outcome', 'timed_out'),
          { key: 'conversation.recovered', value: { boolValue: true } },
          text('session.id', 's1'),
          text('error.type', 'TimeoutError'),
          text('conversation.pii.input_text', ''),
          text('conversation.pii.output_text', 'said "hello"'),
          { key: 'conversation.input.chars', value: { intValue: '0' } },
          { key: 'conversation.output.chars', value: { intValue: '12' } },
          { key: 'conversation.step.time_to_first_output', value: { doubleValue: 0.25 } },
          { key: 'conversation.step.timing.queue_wait', value: { doubleValue: 0.08 } },
          { key: 'conversation.step.timing.busy_wait', value: { intValue: '1' } },
        ],
        status: { code: 2, message: 'took too long' },
      }),
      [text('service.name', 'bot'), { key: 'conversation.sampling.ratio', value: { doubleValue: 0.5 } }],
    );
    expect(decodeOtlpJson(request)).toEqual([
      {
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        parentSpanId: 'abcdef0123456789',
        name: 'gpt',
        startTimeUnixNano: 1759933822123456789n,
        durationNano: 3567000001n,
        role: 'step',
        step: 'gpt',
        depth: 2,
        attempt: 3,
        outcome: 'timed_out',
        isRecovered: true,
        conversationId: 'c1',
        sessionId: 's1',
        serviceName: 'bot',
        samplingRatio: 0.5,
        errorType: 'TimeoutError',
        errorMessage: 'took too long',
        inputText: '',
        outputText: 'said "hello"',
        inputChars: 0,
        outputChars: 12,
        timeToFirstOutputSeconds: 0.25,
        timingsSeconds: { queue_wait: 0.08, busy_wait: 1 },
      },
    ]);
  });

  test('what has no field is kept in rest, as it came', () => {
    const model = text('gen_ai.response.model', 'gpt-5');
    const host = text('host.name', 'h');
    const event = { name: 'retry', timeUnixNano: '1' };
    const link = { traceId: TRACE_ID, spanId: SPAN_ID };
    const span = spanOf({
      kind: 'SPAN_KIND_CLIENT',
      flags: 257,
      traceState: 'a=b',
      attributes: [model],
      events: [event],
      links: [link],
      status: { code: 'STATUS_CODE_OK' },
      somethingNew: 1,
    });
    expect(decodeOtlpJson(requestOf(span, [host], { name: 'lib', version: '1.0.0' }))[0]!.rest).toEqual({
      kind: 3,
      flags: 257,
      traceState: 'a=b',
      attributes: [model],
      events: [event],
      links: [link],
      status: { code: 1 },
      resourceAttributes: [host],
      scope: { name: 'lib', version: '1.0.0' },
    });
  });

  test('a span that says nothing more has no rest', () => {
    expect(decodeSpan()).not.toHaveProperty('rest');
  });

  test('attributes of the wrong type are kept in rest and give no field', () => {
    const attributes = [
      { key: 'conversation.id', value: { intValue: '7' } },
      { key: 'conversation.step.name', value: { stringValue: '' } },
      { key: 'conversation.step.depth', value: { doubleValue: 1.5 } },
      { key: 'conversation.outcome', value: { stringValue: 'fine' } },
      { key: 'conversation.input.chars', value: { intValue: '-1' } },
      { key: 'conversation.step.time_to_first_output', value: { doubleValue: 'NaN' } },
      { key: 'conversation.step.timing.wait', value: { doubleValue: null } },
      { key: 'conversation.step.timing.', value: { doubleValue: 1 } },
      { key: 'conversation.step.timing.__proto__', value: { doubleValue: 1 } },
      { key: 'session.id', value: null },
      { key: 'conversation.recovered', value: { stringValue: 'true' } },
    ];
    const span = decodeSpan({ attributes });
    expect(span).toMatchObject({ role: 'other', depth: 0, outcome: 'completed', isRecovered: false });
    expect(span.rest?.attributes).toEqual(attributes);
    for (const field of ['conversationId', 'step', 'sessionId', 'inputChars', 'timingsSeconds']) {
      expect(span).not.toHaveProperty(field);
    }
  });

  test('spans of one resource share the array of its other attributes', () => {
    const resourceSpans = [
      { resource: { attributes: [text('host.name', 'h')] }, scopeSpans: [{ spans: [spanOf(), spanOf()] }] },
    ];
    const [first, second] = decodeOtlpJson({ resourceSpans });
    expect(first!.rest!.resourceAttributes).toBe(second!.rest!.resourceAttributes);
  });
});

describe('roles and outcomes', () => {
  const version = text('conversation.schema.version', '1');
  const root = { name: 'conversation', attributes: [text('conversation.id', 'c1'), version] };

  test('a parentless span named conversation with an id and a version of the schema, whatever it is, is a root', () => {
    expect(decodeSpan(root).role).toBe('root');
    for (const value of [{ stringValue: '' }, { intValue: '2' }, {}, null]) {
      const odd = { key: 'conversation.schema.version', value };
      expect(decodeSpan({ ...root, attributes: [odd, text('conversation.id', 'c1')] }).role).toBe('root');
    }
    expect(decodeSpan({ ...root, parentSpanId: '' }).role).toBe('root');
    expect(decodeSpan({ ...root, parentSpanId: '0000000000000000' }).role).toBe('root');
  });

  test.each([
    ['with a parent', { ...root, parentSpanId: SPAN_ID }, 'other'],
    ['without an id', { ...root, attributes: [version] }, 'other'],
    ['without a version, as other frameworks have', { ...root, attributes: [text('conversation.id', 'c1')] }, 'other'],
    ['of another name', { ...root, name: 'chat' }, 'other'],
    ['with a step name', { ...root, attributes: [...root.attributes, text('conversation.step.name', 'x')] }, 'step'],
  ])('a span %s is no root', (_, span, role) => {
    expect(decodeSpan(span).role).toBe(role);
  });

  test('depth counts on steps alone', () => {
    const depth = { key: 'conversation.step.depth', value: { intValue: '1' } };
    expect(decodeSpan({ attributes: [depth] }).depth).toBe(0);
    expect(decodeSpan({ attributes: [depth, text('conversation.step.name', 'x')] }).depth).toBe(1);
  });

  test('without an outcome the status decides', () => {
    expect(decodeSpan({ status: { code: 2, message: 'no' } })).toMatchObject({ outcome: 'failed', errorMessage: 'no' });
    expect(decodeSpan({ status: { code: 'STATUS_CODE_ERROR' } })).toMatchObject({ outcome: 'failed' });
    expect(decodeSpan({ status: { code: 1, message: 'yes' } })).toMatchObject({ outcome: 'completed' });
    expect(decodeSpan({ status: { code: 1, message: 'yes' } })).not.toHaveProperty('errorMessage');
    expect(decodeSpan({ status: {} }).outcome).toBe('completed');
  });

  test('with an outcome the status does not change it', () => {
    const attributes = [text('conversation.outcome', 'completed')];
    expect(decodeSpan({ attributes, status: { code: 2, message: 'odd' } })).toMatchObject({
      outcome: 'completed',
      errorMessage: 'odd',
      rest: { status: { code: 2, message: 'odd' } },
    });
  });
});

describe('the JSON mapping', () => {
  test('null stands for absent everywhere', () => {
    const nothing = {
      parentSpanId: null,
      startTimeUnixNano: null,
      endTimeUnixNano: null,
      attributes: null,
      status: null,
      kind: null,
      flags: null,
      events: null,
      links: null,
      traceState: null,
      name: null,
    };
    expect(decodeSpan(nothing)).toMatchObject({ name: '', startTimeUnixNano: 0n, durationNano: 0n, role: 'other' });
    expect(decodeOtlpJson({ resourceSpans: null })).toEqual([]);
    expect(decodeOtlpJson({})).toEqual([]);
    expect(decodeOtlpJson({ resourceSpans: [{ resource: null, scopeSpans: null }] })).toEqual([]);
    expect(decodeOtlpJson({ resourceSpans: [{ scopeSpans: [{ scope: null, spans: null }] }] })).toEqual([]);
  });

  test('times come as strings or numbers', () => {
    expect(decodeSpan({ startTimeUnixNano: 1000, endTimeUnixNano: '3000' })).toMatchObject({
      startTimeUnixNano: 1000n,
      durationNano: 2000n,
    });
  });

  test('a span that ends before it starts lasts 0', () => {
    expect(decodeSpan({ startTimeUnixNano: '3000', endTimeUnixNano: '1000' }).durationNano).toBe(0n);
  });

  test('ids are taken in either case and kept in lower case', () => {
    expect(decodeSpan({ traceId: TRACE_ID.toUpperCase(), spanId: SPAN_ID.toUpperCase() })).toMatchObject({
      traceId: TRACE_ID,
      spanId: SPAN_ID,
    });
  });
});

describe('refused, with the place and the reason', () => {
  test.each<[string, Json, RegExp]>([
    ['a short trace id', { traceId: 'abc' }, /spans\[0\]: traceId must be 32 hex digits.*got "abc"/],
    ['a trace id that is not hex', { traceId: 'z'.repeat(32) }, /traceId must be 32 hex digits/],
    ['a trace id of zeros', { traceId: '0'.repeat(32) }, /not all zero/],
    ['a missing span id', { spanId: undefined }, /spanId must be 16 hex digits/],
    ['a base64 span id', { spanId: 't61rcWkgMzE=' }, /spanId must be 16 hex digits/],
    ['a broken parent id', { parentSpanId: 'x' }, /parentSpanId must be 16 hex digits/],
    ['a broken id in a link', { links: [{ traceId: TRACE_ID, spanId: '1' }] }, /spanId of a link/],
    ['a time with a fraction', { startTimeUnixNano: 1.5 }, /startTimeUnixNano must be whole nanoseconds/],
    ['a negative time', { endTimeUnixNano: '-1' }, /endTimeUnixNano must be whole nanoseconds/],
    ['a time past 2262', { endTimeUnixNano: '9223372036854775808' }, /endTimeUnixNano/],
    ['a hexadecimal time', { endTimeUnixNano: '0x10' }, /endTimeUnixNano/],
    ['a name that is no string', { name: 5 }, /name must be a string, got 5/],
    ['attributes that are no array', { attributes: { a: 1 } }, /attributes must be an array/],
    ['an attribute whose key is a number', { attributes: [{ key: 1 }] }, /key must be a string/],
    ['an attribute that is a string', { attributes: ['a'] }, /an attribute must be an object/],
    ['an unknown kind', { kind: 'SPAN_KIND_ODD' }, /kind must be one of SPAN_KIND_UNSPECIFIED/],
    ['an unknown status', { status: { code: 'BAD' } }, /status\.code must be one of/],
    ['a status that is a number', { status: 2 }, /status must be an object/],
    ['flags below 0', { flags: -1 }, /flags must be a whole number/],
  ])('%s', (_, span, message) => {
    expect(() => decodeSpan(span)).toThrow(OtlpFormatError);
    expect(() => decodeSpan(span)).toThrow(message);
    expect(() => decodeSpan(span)).toThrow(/^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]: /);
  });

  test.each([null, 1, 'x', [], undefined])('the request %p', (request) => {
    expect(() => decodeOtlpJson(request)).toThrow(/the request must be an object/);
  });

  test('names the second span of the third resource', () => {
    const resourceSpans = [{}, {}, { scopeSpans: [{}, { spans: [spanOf(), spanOf({ spanId: '1' })] }] }];
    expect(() => decodeOtlpJson({ resourceSpans })).toThrow(/^resourceSpans\[2\]\.scopeSpans\[1\]\.spans\[1\]: spanId/);
  });

  test('does not repeat a long hostile value', () => {
    try {
      decodeSpan({ traceId: 'x'.repeat(10_000) });
      throw new Error('accepted');
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(250);
    }
  });
});

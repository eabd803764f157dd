import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversationIdsOf } from '@convotel/conventions';
import { context, propagation, trace } from '@opentelemetry/api';
import { conversation, joinConversation, startConversation, step } from '@convotel/tracing';
import type { Carrier, Conversation } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());

/** What a message does to a carrier. */
const sent = (carrier: Carrier): Carrier => JSON.parse(JSON.stringify(carrier)) as Carrier;

const spanIdOf = (name: string): string => recorder.only(name).spanContext().spanId;
const parentOf = (name: string): string | undefined => recorder.only(name).parentSpanContext?.spanId;

describe('a carrier', () => {
  test('holds plain strings that any header can hold', () => {
    const odd = 'Gespräch 1/ä\n😀';
    const c = startConversation({ conversationId: odd, workflow: 'voice, two', sessionId: '=;%' });
    const carrier = c.carrier();
    expect(Object.getPrototypeOf(carrier)).toBe(Object.prototype);
    for (const [name, value] of Object.entries(carrier)) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(value).toMatch(/^[\x21-\x7e]+$/);
    }
    joinConversation(sent(carrier), (there) => {
      expect(there.id).toBe(odd);
      there.step('gpt', () => {});
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.id': odd,
      'gen_ai.workflow.name': 'voice, two',
      'session.id': '=;%',
    });
    c.end();
  });

  test('made at the root puts steps below the root', () => {
    const c = startConversation();
    joinConversation(sent(c.carrier()), (there) => there.step('gpt', () => {}));
    c.end();
    expect(parentOf('gpt')).toBe(spanIdOf('conversation'));
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.depth']);
    expect(recorder.named('conversation')).toHaveLength(1);
  });

  test.each<[string, (c: Conversation) => Promise<Carrier>]>([
    ['in an active step', async (c) => c.step('enqueue', async () => c.carrier())],
    ['by the step itself', async (c) => c.step('enqueue', async (enqueue) => enqueue.carrier())],
  ])('made %s puts steps inside that step', async (_name, make) => {
    const carrier = await conversation(async (c) => c.step('agent', async () => make(c)));
    joinConversation(sent(carrier), (there) => there.step('gpt', () => step('tool', () => {})));
    expect(parentOf('gpt')).toBe(spanIdOf('enqueue'));
    expect(parentOf('tool')).toBe(spanIdOf('gpt'));
    expect(recorder.attributesOf('gpt')['conversation.step.depth']).toBe(2);
    expect(recorder.attributesOf('tool')['conversation.step.depth']).toBe(3);
  });

  test('joined again and again makes no second conversation', async () => {
    const c = startConversation();
    const carrier = sent(c.carrier());
    for (let job = 0; job < 3; job += 1) await joinConversation(carrier, async (there) => there.step('job', () => job));
    joinConversation(carrier).end();
    c.end();
    expect(recorder.named('conversation')).toHaveLength(1);
    expect(recorder.named('job')).toHaveLength(3);
    expect(new Set(recorder.spans().map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  test('may be a Map or Headers', () => {
    const carrier = startConversation({ conversationId: 'c-1' }).carrier();
    for (const message of [new Map(Object.entries(carrier)), new Headers(carrier)]) {
      joinConversation(message as unknown as Carrier, (there) => expect(there.id).toBe('c-1'));
    }
  });

  test.each<[string, (carrier: Carrier) => unknown]>([
    ['bytes, as Kafka delivers them', (carrier) => mapped(carrier, (value) => Buffer.from(value))],
    ['lists of one, as headers may be', (carrier) => mapped(carrier, (value) => [value])],
    ['the metadata of gRPC', (carrier) => ({ get: (name: string) => (name in carrier ? [carrier[name]] : []) })],
    [
      'names in upper case',
      (carrier) => Object.fromEntries(Object.entries(carrier).map(([name, value]) => [name.toUpperCase(), value])),
    ],
  ])('may hold %s', (_how, sent) => {
    const c = startConversation({ conversationId: 'c-1', sessionId: 's-1' });
    const carrier = c.startStep('gpt').carrier();
    joinConversation(sent(carrier) as Carrier, (there) => {
      expect(there.id).toBe('c-1');
      expect(there.carrier()).toEqual({ ...carrier, 'convotel-input-end': expect.any(String) });
    });
  });

  test('leaves the active Baggage alone', () => {
    conversation({ conversationId: 'secret', sessionId: 'caller' }, (c) => {
      const headers: Record<string, string> = {};
      propagation.inject(context.active(), headers);
      c.step('gpt', () => {
        propagation.inject(context.active(), headers);
        expect(propagation.getActiveBaggage()).toBeUndefined();
      });
      expect(Object.keys(headers)).toEqual(['traceparent']);
    });
  });
});

const mapped = (carrier: Carrier, map: (value: string) => unknown): unknown =>
  Object.fromEntries(Object.entries(carrier).map(([name, value]) => [name, map(value)]));

describe('an id alone', () => {
  test('puts steps below the root that follows from it', () => {
    joinConversation('c-2', { workflow: 'voice', sessionId: 's' }, (there) => there.step('gpt', () => {}));
    const { traceId, rootSpanId } = conversationIdsOf('c-2');
    expect(recorder.only('gpt').spanContext().traceId).toBe(traceId);
    expect(parentOf('gpt')).toBe(rootSpanId);
    expect(recorder.attributesOf('gpt')).toMatchObject({ 'gen_ai.workflow.name': 'voice', 'session.id': 's' });
    expect(recorder.named('conversation')).toHaveLength(0);
  });
});

describe('what comes from outside', () => {
  const touchy = new Proxy(
    {},
    {
      get() {
        throw new Error('do not touch');
      },
    },
  );
  const valid = (): Carrier => startConversation({ conversationId: 'valid' }).carrier();

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty id', ''],
    ['an id that is too long', 'x'.repeat(129)],
    ['a number', 7],
    ['an empty object', {}],
    ['an array', ['valid']],
    ['an object that throws', touchy],
    ['an id of another type', { 'convotel-conversation-id': { toString: () => 'valid' } }],
    ['an id of megabytes', { 'convotel-conversation-id': 'x'.repeat(5_000_000) }],
    ['a traceparent alone', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }],
  ])('%s is ignored with one warning, and the function runs', (_name, carrier) => {
    const result = joinConversation(carrier as Carrier, (there) => {
      there.carrier();
      there.inputEnded();
      return there.step('gpt', () => step('tool', () => 'x'));
    });
    joinConversation(carrier as Carrier, () => {});
    expect(result).toBe('x');
    expect(recorder.spans()).toEqual([]);
    expect(recorder.warnings).toEqual([expect.stringContaining('joinConversation() was given neither')]);
  });

  test.each<[string, string]>([
    ['words', 'not a traceparent'],
    ['zeros', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${'A'.repeat(32)}-${'B'.repeat(16)}-01`],
    ['version ff', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['a tail that version 00 has not', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01-more`],
    ['megabytes', `00-${'a'.repeat(5_000_000)}`],
  ])('a traceparent of %s leaves the id, with one warning', (_name, traceparent) => {
    joinConversation({ ...valid(), traceparent, 'convotel-depth': '7' }, (there) => there.step('gpt', () => {}));
    expect(parentOf('gpt')).toBe(conversationIdsOf('valid').rootSpanId);
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.depth']);
    expect(recorder.warnings).toEqual([expect.stringContaining('traceparent of a carrier is malformed')]);
  });

  test('numbers that are none, and texts that are too long, do no harm', () => {
    const carrier = {
      ...valid(),
      'convotel-depth': '-1e9',
      'convotel-input-end': 'NaN',
      'convotel-workflow': 'w'.repeat(2000),
      'convotel-session-id': '%E0%A4%A',
    };
    joinConversation(carrier, (there) => there.step('response', () => {}));
    const attributes = recorder.attributesOf('response');
    expect(attributes).not.toHaveProperty(['conversation.step.depth']);
    expect(attributes).not.toHaveProperty(['conversation.response_latency']);
    expect(attributes['session.id']).toBe('%E0%A4%A');
    expect((attributes['gen_ai.workflow.name'] as string).length).toBeLessThan(2000);
  });
});

describe('handOff()', () => {
  test('of a provider without our ids leaves the root where it is lost, and says so there', () => {
    const c = startConversation({ conversationId: 'given away' });
    const carrier = sent(c.handOff());
    c.end();
    expect(recorder.named('conversation')).toHaveLength(0);
    joinConversation(carrier, (there) => there.step('gpt', () => {}));
    expect(recorder.warnings).toEqual([expect.stringContaining('ConversationIdGenerator of @convotel/sdk')]);
    expect(recorder.only('gpt').spanContext().traceId).toBe(carrier['traceparent']!.split('-')[1]);
  });

  test('transfers the root once', () => {
    const c = startConversation();
    expect(c.handOff()).toHaveProperty(['convotel-handed-off-root']);
    expect(c.handOff()).not.toHaveProperty(['convotel-handed-off-root']);
    expect(recorder.warnings).toEqual([expect.stringContaining('handOff() has no effect')]);
  });
});

describe('continueFrom()', () => {
  const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

  test('links the conversation and a trace of another process both ways', () => {
    conversation({ continueFrom: { traceparent } }, (c) => c.step('gpt', () => {}));
    const root = recorder.only('conversation');
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.links.map(({ context: { spanId } }) => spanId)).toEqual(['2'.repeat(16)]);
    const marker = recorder.only('continue in conversation');
    expect(marker.spanContext().traceId).toBe('1'.repeat(32));
    expect(marker.parentSpanContext?.spanId).toBe('2'.repeat(16));
    expect(marker.links.map(({ context: { spanId } }) => spanId)).toEqual([root.spanContext().spanId]);
    expect(root.spanContext().traceId).not.toBe('1'.repeat(32));
  });

  test('uses the span of that trace that is active', () => {
    const incoming = propagation.extract(context.active(), { traceparent });
    trace.getTracer('http').startActiveSpan('POST /talk', {}, incoming, (server) => {
      conversation((c) => c.continueFrom(new Headers({ traceparent })));
      server.end();
    });
    const root = recorder.only('conversation').spanContext().spanId;
    expect(recorder.only('POST /talk').links.map(({ context: { spanId } }) => spanId)).toEqual([root]);
    expect(recorder.named('continue in conversation')).toHaveLength(0);
  });

  test('of headers that name none is ignored with one warning', () => {
    for (const headers of [undefined, {}, { traceparent: 'x' }, 7]) {
      conversation((c) => c.continueFrom(headers));
    }
    expect(recorder.warnings).toEqual([expect.stringContaining('continueFrom() found no valid W3C traceparent')]);
  });
});

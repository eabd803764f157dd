import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { conversationIdsOf, processSettings } from '@convotel/conventions';
import { ConversationIdGenerator, ConversationSampler } from '@convotel/sdk';
import { joinConversation, startConversation } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { withEnvironment } from '../support/environment.ts';

const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  processSettings().warn = (message) => void warnings.push(message);
});

afterEach(() => {
  processSettings().warn = undefined;
  trace.disable();
  context.disable();
});

/** A provider of a program's own, as another process would have it. */
function provider(options: ConstructorParameters<typeof NodeTracerProvider>[0] = {}): {
  tracerProvider: NodeTracerProvider;
  spans: () => ReadableSpan[];
} {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new NodeTracerProvider({
    idGenerator: new ConversationIdGenerator(),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...options,
  });
  return { tracerProvider, spans: () => exporter.getFinishedSpans() };
}

const idsOf = ({ spans }: { spans: () => ReadableSpan[] }, name: string): { traceId: string; spanId: string } => {
  const { traceId, spanId } = spans()
    .find((span) => span.name === name)!
    .spanContext();
  return { traceId, spanId };
};

describe('a provider with our id generator', () => {
  test('gives roots the ids that follow from the conversation, and everything else random ones', () => {
    const own = provider();
    const c = startConversation({ conversationId: 'c-1', tracerProvider: own.tracerProvider });
    c.step('gpt', () => {});
    c.end();
    own.tracerProvider.getTracer('http').startSpan('GET').end();
    const { traceId, rootSpanId } = conversationIdsOf('c-1');
    expect(idsOf(own, 'conversation')).toEqual({ traceId, spanId: rootSpanId });
    expect(idsOf(own, 'gpt')).toEqual({ traceId, spanId: expect.not.stringContaining(rootSpanId) });
    expect(idsOf(own, 'GET').traceId).not.toBe(traceId);
  });

  test('gives no other span those ids, not even one that a processor starts with the root', () => {
    let inner: NodeTracerProvider;
    const nosy: SpanProcessor = {
      onStart(span) {
        if (span.name === 'conversation') inner.getTracer('nosy').startSpan('log', { root: true }).end();
      },
      onEnd() {},
      async forceFlush() {},
      async shutdown() {},
    };
    const exporter = new InMemorySpanExporter();
    const own = provider({ spanProcessors: [nosy, new SimpleSpanProcessor(exporter)] });
    inner = own.tracerProvider;
    startConversation({ conversationId: 'c-2', tracerProvider: inner }).end();
    const found = exporter.getFinishedSpans();
    expect(found.map(({ name }) => name)).toEqual(['log', 'conversation']);
    expect(found[0]!.spanContext().traceId).not.toBe(conversationIdsOf('c-2').traceId);
  });

  test('ends a root that another process handed off, with its ids and its start', () => {
    // Random ids: they travel in the carrier.
    const first = provider({ idGenerator: undefined as never });
    const second = provider();
    const startedMs = Date.now() - 5000;
    const c = startConversation({
      conversationId: 'c-3',
      workflow: 'voice',
      sessionId: 's',
      startTime: startedMs,
      tracerProvider: first.tracerProvider,
    });
    c.step('stt', () => {});
    const carrier = c.handOff();
    c.step('log', () => {});
    c.end();
    joinConversation(carrier, { tracerProvider: second.tracerProvider }, (there) => {
      there.step('gpt', () => {});
      there.set({ 'app.a': 1 });
    });
    expect(first.spans().map(({ name }) => name)).toEqual(['stt', 'log']);
    const root = second.spans().find(({ name }) => name === 'conversation')!;
    const { traceId, spanId } = root.spanContext();
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.startTime[0] * 1000 + root.startTime[1] / 1e6).toBeCloseTo(startedMs, 2);
    for (const step of [...first.spans(), ...second.spans().slice(0, 1)]) {
      expect(step.spanContext().traceId).toBe(traceId);
      expect(step.parentSpanContext?.spanId).toBe(spanId);
    }
    expect(root.attributes).toMatchObject({
      'conversation.id': 'c-3',
      'conversation.outcome': 'completed',
      'conversation.schema.version': '1',
      'gen_ai.workflow.name': 'voice',
      'session.id': 's',
      'app.a': 1,
    });
    expect(warnings).toEqual([]);
  });

  test('may hand it on', () => {
    const last = provider();
    const carrier = startConversation({ conversationId: 'c-4', tracerProvider: provider().tracerProvider }).handOff();
    const second = joinConversation(carrier, { tracerProvider: provider().tracerProvider });
    const next = second.handOff();
    second.end();
    joinConversation(next, { tracerProvider: last.tracerProvider }).end();
    expect(last.spans().map(({ name }) => name)).toEqual(['conversation']);
    expect(next['convotel-handed-off-root']).toBe(carrier['convotel-handed-off-root']);
  });
});

describe('sampling', () => {
  const ids = Array.from({ length: 400 }, (_, index) => `sampled-${index}`);

  /** Which conversations keep their root, and which a step of a process that knows the id only. */
  function kept(options: () => ConstructorParameters<typeof NodeTracerProvider>[0]): [root: string[], step: string[]] {
    const root = provider(options());
    const step = provider(options());
    for (const conversationId of ids) {
      startConversation({ conversationId, tracerProvider: root.tracerProvider }).end();
      joinConversation(conversationId, { tracerProvider: step.tracerProvider }, (c) =>
        c.step('gpt', () => c.step('tool', () => {})),
      );
    }
    const names = (spans: ReadableSpan[], name: string): string[] =>
      spans.flatMap((span) => (span.name === name ? [span.attributes['conversation.id'] as string] : []));
    expect(names(step.spans(), 'tool')).toEqual(names(step.spans(), 'gpt'));
    return [names(root.spans(), 'conversation'), names(step.spans(), 'gpt')];
  }

  test('by a ratio agrees in a process that knows the id only', () => {
    const [roots, steps] = kept(() => ({
      sampler: new ConversationSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.5) })),
    }));
    expect(steps).toEqual(roots);
    expect(roots.length).toBeGreaterThan(100);
    expect(roots.length).toBeLessThan(300);
  });

  test.each([
    ['always_on', undefined, 400],
    ['always_off', undefined, 0],
    ['parentbased_always_off', undefined, 0],
    ['traceidratio', '0.5', undefined],
    ['parentbased_traceidratio', '0.5', undefined],
    ['parentbased_traceidratio', '7', 400],
    ['unheard-of', undefined, 400],
    [undefined, undefined, 400],
  ])('agrees by the environment too: %s %s', async (sampler, argument, count) => {
    const environment = { OTEL_TRACES_SAMPLER: sampler ?? '', OTEL_TRACES_SAMPLER_ARG: argument ?? '' };
    const [roots, steps] = await withEnvironment(environment, async () =>
      kept(() => ({ sampler: new ConversationSampler() })),
    );
    expect(steps).toEqual(roots);
    if (count === undefined) expect(Math.abs(roots.length - 200)).toBeLessThan(100);
    else expect(roots).toHaveLength(count);
  });

  test('that drops the conversation drops a root that was handed off', () => {
    const second = provider();
    const first = provider({ sampler: new TraceIdRatioBasedSampler(0) });
    const carrier = startConversation({ tracerProvider: first.tracerProvider }).handOff();
    joinConversation(carrier, { tracerProvider: second.tracerProvider }, (c) => c.step('gpt', () => {}));
    expect(second.spans()).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

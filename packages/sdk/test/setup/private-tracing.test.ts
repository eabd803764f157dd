import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { conversationIdsOf, processRegistry } from '@convotel/conventions';
import { convotelSpanProcessor, startTracing } from '@convotel/sdk';
import { conversation, joinConversation, step } from '@convotel/tracing';
import type { Carrier } from '@convotel/tracing';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let warnings: string[];
const warn = (message: string): void => void warnings.push(message);

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  warnings = [];
});

afterEach(async () => {
  trace.disable();
  context.disable();
  propagation.disable();
  await receiver.stop();
});

const startPrivate = (more: object = {}) =>
  startTracing({
    provider: 'private',
    serviceName: 'voice-bot',
    journal: false,
    endpoint: receiver.endpoint,
    warn,
    ...more,
  });

/** `parent > name` of every span that convotel delivered. */
function delivered(): string[] {
  const spans = receiver.spans();
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId }) => `${names.get(parentSpanId ?? '') ?? ''} > ${name}`).toSorted();
}

describe.each(['before', 'after', 'never'])('where the other tool registers %s', (when) => {
  test('spans of each are inside its own only, through promises, timers, streams and nested steps', async () => {
    const exporter = new InMemorySpanExporter();
    const other = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    if (when === 'before') other.register();
    const tracing = startPrivate();
    if (when === 'after') other.register();
    expect(tracing.kind).toBe('private');
    const tracer = trace.getTracer('other');
    const active: (string | undefined)[] = [];
    const look = (): void => void active.push((trace.getActiveSpan() as { name?: string } | undefined)?.name);
    await tracer.startActiveSpan('request', async (request) => {
      await conversation({ conversationId: 'one', workflow: 'voice' }, async (c) => {
        look();
        await c.step('gpt', async () => {
          look();
          await tracer.startActiveSpan('query', async (query) => {
            await step('tool', async () => {
              await new Promise((later) => setTimeout(later, 1));
              look();
              step('inner', look);
            });
            query.end();
          });
        });
        const words = c.step('tts', async function* () {
          look();
          step('phoneme', () => {});
          yield 'hello';
        });
        for await (const _word of words) look();
      });
      request.end();
    });
    const [request, query] = when === 'never' ? [undefined, undefined] : ['request', 'query'];
    expect(active).toEqual([request, request, query, query, request, request]);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(when === 'never' ? [] : ['query', 'request']);
    expect(await tracing.shutdown()).toEqual({ deliveredSpans: 6, undeliveredSpans: 0 });
    expect(delivered()).toEqual([
      ' > conversation',
      'conversation > gpt',
      'conversation > tts',
      'gpt > tool',
      'tool > inner',
      'tts > phoneme',
    ]);
    const root = receiver.spans().find(({ name }) => name === 'conversation')!;
    expect(root.traceId).toBe(conversationIdsOf('one').traceId);
    expect(attributesOf(root)).toMatchObject({ 'conversation.outcome': 'completed' });
    expect([...receiver.metrics().keys()]).toContain('conversation.active');
    expect(warnings).toEqual([]);
  });
});

test('nothing of the global state is touched, and after the shutdown nothing is left', async () => {
  const globals = (): unknown[] => [
    trace.getTracerProvider().getTracer('any').startSpan('any').isRecording(),
    propagation.fields().length,
    metrics.getMeterProvider(),
  ];
  const before = globals();
  const tracing = startPrivate();
  expect(globals()).toEqual(before);
  conversation((c) => c.step('stt', () => {}));
  await tracing.shutdown();
  expect(processRegistry().privateProvider).toBeUndefined();
  conversation((c) => c.step('stt', () => {}));
  expect(receiver.spans()).toHaveLength(2);
});

test('conversations are joined by carrier', async () => {
  const tracing = startPrivate();
  let carrier: Carrier = {};
  await conversation((c) => c.step('queue', async (queue) => void (carrier = queue.carrier())));
  await joinConversation(carrier, async (c) => c.step('work', async () => {}));
  await tracing.shutdown();
  expect(delivered()).toEqual([' > conversation', 'conversation > queue', 'queue > work']);
});

test('a second setup gets the first one, and a processor that gets no conversations is told about', async () => {
  const processor = convotelSpanProcessor({ endpoint: receiver.endpoint, journal: false, metrics: false, warn });
  const tracing = startPrivate();
  expect(warnings).toEqual([expect.stringContaining('do not pass through the convotelSpanProcessor()')]);
  expect(startPrivate()).toBe(tracing);
  await tracing.shutdown();
  await processor.shutdown();
});

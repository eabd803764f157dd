import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DURATION_BUCKET_BOUNDS_SECONDS } from '@convotel/conventions';
import { ConversationMetrics, startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, joinConversation, startConversation } from '@convotel/tracing';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { AlwaysOffSampler, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { withEnvironment } from '../support/environment.ts';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpDataPoint, OtlpReceiver } from '../support/otlp-receiver.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_MS = Date.UTC(2025, 9, 8);

let receiver: OtlpReceiver;
let tracing: Tracing | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await tracing?.shutdown({ deadlineMs: 1000 });
  tracing = undefined;
  await receiver.stop();
});

function start(options: TracingOptions = {}): Tracing {
  tracing = startTracing({ endpoint: receiver.endpoint, ...options });
  return tracing;
}

function points(name: string): OtlpDataPoint[] {
  const metric = receiver.metrics().get(name);
  return metric?.sum?.dataPoints ?? metric?.histogram?.dataPoints ?? [];
}

/** Values of an up-down counter, by the names in its attributes. */
function activeBy(name: string): Record<string, number | undefined> {
  const entries = points(name).map((point) => {
    const attributes = attributesOf(point) as Record<string, string | undefined>;
    const names = [attributes['gen_ai.workflow.name'], attributes['conversation.step.name']];
    return [names.filter((name) => name !== undefined).join('/'), point.asDouble ?? point.asInt];
  });
  return Object.fromEntries(entries) as Record<string, number | undefined>;
}

describe('what is in progress', () => {
  test('is counted by workflow and step, nested and late steps included', async () => {
    const { flush } = start();
    const voice = startConversation({ workflow: 'voice' });
    const chat = startConversation({ workflow: 'chat' });
    const unnamed = startConversation();
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const steps = [
      voice.step('stt', () => finished),
      voice.run(() => voice.step('gpt', () => voice.step('tool', () => finished))),
      chat.step('gpt', () => finished),
    ];
    await flush();
    expect(activeBy('conversation.active')).toEqual({ voice: 1, chat: 1, '': 1 });
    expect(activeBy('conversation.step.active')).toEqual({
      'voice/stt': 1,
      'voice/gpt': 1,
      'voice/tool': 1,
      'chat/gpt': 1,
    });
    finish();
    await Promise.all(steps);
    voice.end();
    unnamed.end();
    const late = voice.step('log', () => new Promise<void>(() => {}));
    expect(late).toBeInstanceOf(Promise);
    await flush();
    expect(activeBy('conversation.active')).toEqual({ voice: 0, chat: 1, '': 0 });
    expect(activeBy('conversation.step.active')).toEqual({
      'voice/stt': 0,
      'voice/gpt': 0,
      'voice/tool': 0,
      'voice/log': 1,
      'chat/gpt': 0,
    });
  });

  test('is nothing again, however steps and conversations end', async () => {
    const { flush } = start({ maxOpenMs: 50 });
    const never = new Promise<never>(() => {});
    const voice = startConversation({ workflow: 'voice' });
    voice.step('completed', () => 'x');
    await voice.step('failed', async () => Promise.reject(new Error('x'))).catch(() => {});
    voice.step('interrupted', (step) => step.interrupted());
    void voice.step('timed out', { timeoutMs: 5 }, () => never);
    void voice.step('hung', () => never);
    voice.startStep('left open');
    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    voice.step('never asked', () => ({ then: () => {} }));
    voice.recordStep('recorded', { startTime: START_MS, endTime: START_MS + 1 });
    voice.end();
    startConversation({ workflow: 'never ended' });
    startConversation({ workflow: 'handed off' }).handOff();
    joinConversation('elsewhere', { workflow: 'joined' }, (c) => c.step('hung', () => never)).catch(() => {});
    const allEnded = async (): Promise<boolean> => {
      await flush();
      const active = { ...activeBy('conversation.active'), ...activeBy('conversation.step.active') };
      return Object.values(active).every((value) => value === 0);
    };
    const deadlineMs = Date.now() + 10_000;
    while (!(await allEnded()) && Date.now() < deadlineMs);
    const conversations = activeBy('conversation.active');
    expect(conversations).toEqual({ voice: 0, 'never ended': 0, 'handed off': 0, joined: 0 });
    const steps = activeBy('conversation.step.active');
    expect(Object.keys(steps)).toHaveLength(9);
    expect(new Set(Object.values(steps))).toEqual(new Set([0]));
  });

  test('never carries a conversation id', async () => {
    const { flush } = start({ durationMetrics: true });
    conversation({ conversationId: 'secret-id', workflow: 'voice' }, (c) => c.step('stt', (stt) => stt.firstOutput()));
    await flush();
    const all = [...receiver.metrics().keys()].flatMap((name) => points(name));
    expect(all.length).toBeGreaterThan(3);
    expect(JSON.stringify(all)).not.toContain('secret-id');
  });
});

describe('histograms', () => {
  test('first outputs and timings come with the bounds of the conventions', async () => {
    const { flush } = start();
    const handle = startConversation({ workflow: 'voice' });
    for (const seconds of [0.08, 0.3]) {
      handle.recordStep('stt', {
        startTime: START_MS,
        endTime: START_MS + 1000,
        timeToFirstOutputSeconds: seconds,
        timings: { queue_wait: seconds * 2, busy_wait: 1 },
      });
    }
    handle.end();
    await flush();
    const [firstOutput] = points('conversation.step.time_to_first_output');
    expect(firstOutput).toMatchObject({ count: 2, sum: 0.38 });
    expect(firstOutput!.explicitBounds).toEqual(DURATION_BUCKET_BOUNDS_SECONDS);
    expect(attributesOf(firstOutput!)).toEqual({ 'gen_ai.workflow.name': 'voice', 'conversation.step.name': 'stt' });
    expect(receiver.metrics().get('conversation.step.timing')?.unit).toBe('s');
    const sums = points('conversation.step.timing').map((point) => [
      attributesOf(point)['conversation.step.timing.part'],
      point.sum,
    ]);
    expect(Object.fromEntries(sums)).toEqual({ queue_wait: 0.76, busy_wait: 2 });
    expect(points('conversation.duration')).toEqual([]);
  });

  test('response latency comes once a conversation, for what answered first', async () => {
    const { flush } = start();
    const handle = startConversation({ workflow: 'voice', startTime: START_MS });
    const recorded = (name: string, fromMs: number, toMs: number): void =>
      handle.recordStep(name, { startTime: START_MS + fromMs, endTime: START_MS + toMs });
    recorded('request', 0, 500);
    recorded('tts', 1000, 2000);
    recorded('response', 2000, 3000);
    recorded('tts', 3000, 4000);
    handle.end({ endTime: START_MS + 4000 });
    const streamed = startConversation({ workflow: 'chat', startTime: START_MS });
    streamed.recordStep('gpt', { startTime: START_MS, endTime: START_MS + 900, timeToFirstOutputSeconds: 0.25 });
    streamed.end({ endTime: START_MS + 1000 });
    await flush();
    const found = points('conversation.response_latency').map((point) => [
      attributesOf(point),
      { count: point.count, sum: point.sum },
    ]);
    expect(found).toEqual([
      [{ 'gen_ai.workflow.name': 'voice' }, { count: 1, sum: 1.5 }],
      [{ 'gen_ai.workflow.name': 'chat' }, { count: 1, sum: 0.25 }],
    ]);
    expect(receiver.metrics().get('conversation.response_latency')?.unit).toBe('s');
  });

  test('durations come by option, with outcome and error type', async () => {
    const { flush } = start({ durationMetrics: true });
    const handle = startConversation({ workflow: 'voice', startTime: START_MS });
    handle.recordStep('gpt', {
      startTime: START_MS,
      endTime: START_MS + 2500,
      error: Object.assign(new Error('x'), { code: 'busy' }),
    });
    handle.end({ endTime: START_MS + 3000 });
    await flush();
    const [step] = points('conversation.step.duration');
    expect(step).toMatchObject({ count: 1, sum: 2.5 });
    expect(attributesOf(step!)).toEqual({
      'gen_ai.workflow.name': 'voice',
      'conversation.step.name': 'gpt',
      'conversation.outcome': 'failed',
      'error.type': 'busy',
    });
    expect(points('conversation.duration')[0]).toMatchObject({ count: 1, sum: 3 });
  });
});

describe('settings', () => {
  test('metrics can be switched off by option and by the environment', async () => {
    await start({ metrics: false }).shutdown();
    await withEnvironment({ OTEL_METRICS_EXPORTER: 'none' }, async () => start().shutdown());
    expect(receiver.requests).toEqual([]);
  });

  test('the environment says how often they are sent', async () => {
    await withEnvironment({ OTEL_METRIC_EXPORT_INTERVAL: '50' }, async () => {
      start();
      startConversation({ workflow: 'voice' });
      await waitUntil(() => receiver.requests.filter(({ path }) => path === '/v1/metrics').length >= 2);
    });
  });
});

describe('as a processor of a provider of the program’s own', () => {
  const setUp = (): {
    exporter: InMemoryMetricExporter;
    meterProvider: MeterProvider;
    processor: ConversationMetrics;
  } => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
    return { exporter, meterProvider, processor: new ConversationMetrics(meterProvider.getMeter('test')) };
  };

  test('counts nothing that is not sampled, and stays bounded when names are not', async () => {
    const { exporter, meterProvider, processor } = setUp();
    const unsampled = new NodeTracerProvider({ sampler: new AlwaysOffSampler(), spanProcessors: [processor] });
    conversation({ workflow: 'voice', tracerProvider: unsampled }, (c) => c.step('stt', () => {}));
    const sampled = new NodeTracerProvider({ spanProcessors: [processor] });
    for (let index = 0; index < 5000; index += 1) {
      conversation({ workflow: `w${index}`, tracerProvider: sampled }, (c) => c.step(`s${index}`, () => {}));
    }
    await meterProvider.forceFlush();
    const [active] = exporter.getMetrics()[0]!.scopeMetrics[0]!.metrics;
    expect(active!.descriptor.name).toBe('conversation.active');
    expect(active!.dataPoints).toHaveLength(1000);
    expect(JSON.stringify(active!.dataPoints)).not.toContain('"voice"');
    await meterProvider.shutdown();
  });
});

afterEach(() => {
  trace.disable();
  metrics.disable();
});

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import { processSettings } from '@convotel/conventions';
import { conversation, startConversation } from '@convotel/tracing';
import { context, metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

let warnings: string[];
const warn = (message: string): void => void warnings.push(message);

beforeEach(() => {
  warnings = [];
});

afterEach(() => {
  trace.disable();
  context.disable();
  metrics.disable();
});

test('a provider that is there already is used, told about once, flushed, and left running', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  const tracing = startTracing({ warn });
  expect(tracing.kind).toBe('joined');
  expect(warnings).toEqual([expect.stringContaining('set up already')]);
  expect(startTracing({ warn })).toBe(tracing);
  expect(warnings).toEqual([expect.anything(), expect.stringContaining('called before')]);
  conversation((c) => c.step('stt', () => {}));
  expect(await tracing.flush()).toEqual({ deliveredSpans: 0, undeliveredSpans: 0 });
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['stt', 'conversation']);
  await tracing.shutdown();
  conversation(() => {});
  await provider.forceFlush();
  expect(exporter.getFinishedSpans()).toHaveLength(3);
});

test('an owner that never comes to an end does not hold the program', async () => {
  trace.setGlobalTracerProvider(
    Object.assign(new NodeTracerProvider(), { forceFlush: () => new Promise<void>(() => {}) }),
  );
  const tracing = startTracing({ warn });
  expect(await tracing.shutdown({ deadlineMs: 50 })).toMatchObject({ problem: 'not flushed within 50 ms' });
});

test('a meter provider that is there already gets the metrics', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  metrics.setGlobalMeterProvider(meterProvider);
  const tracing = startTracing({ endpoint: 'http://127.0.0.1:9', warn });
  conversation({ workflow: 'voice' }, (c) => c.step('stt', (stt) => stt.firstOutput()));
  await meterProvider.forceFlush();
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name)),
    );
  expect(names.toSorted()).toEqual([
    'conversation.active',
    'conversation.response_latency',
    'conversation.step.active',
    'conversation.step.time_to_first_output',
    'conversation.telemetry.spans',
  ]);
  await tracing.shutdown({ deadlineMs: 10 });
  expect(metrics.getMeterProvider()).toBe(meterProvider);
  await meterProvider.shutdown();
});

test('a provider without our processor gets the settings too, and what is open at shutdown', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  const tracing = startTracing({
    warn,
    classifyError: () => 'interrupted',
    captureContent: 'truncated',
  });
  await conversation(async (c) => {
    await c.step('gpt', () => Promise.reject(new Error('hung up'))).catch(() => {});
    c.step('tts', () => 'y'.repeat(5000));
  });
  startConversation().startStep('open');
  await tracing.shutdown();
  const attributes = new Map(exporter.getFinishedSpans().map((span) => [span.name, span.attributes]));
  expect(attributes.get('gpt')?.['conversation.outcome']).toBe('interrupted');
  expect(attributes.get('tts')?.['conversation.pii.output_text']).toBe('y'.repeat(1000));
  expect(attributes.get('open')?.['conversation.outcome']).toBe('abandoned');
  await provider.shutdown();
  for (const name of Object.keys(processSettings())) Reflect.deleteProperty(processSettings(), name);
});

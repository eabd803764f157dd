import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { processSettings } from '@convotel/conventions';
import { convotelSpanProcessor, startTracing } from '@convotel/sdk';
import { conversation, startConversation } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let folder: string;
let warnings: string[];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-processor-'));
  warnings = [];
});

afterEach(async () => {
  trace.disable();
  context.disable();
  for (const name of Object.keys(processSettings())) Reflect.deleteProperty(processSettings(), name);
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

const warn = (message: string): void => void warnings.push(message);

test('added to a provider, it redacts a copy, keeps a journal, delivers, and counts', async () => {
  const other = new InMemorySpanExporter();
  const processor = convotelSpanProcessor({
    endpoint: receiver.endpoint,
    journal: { folder },
    serviceName: 'mine',
    warn,
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'mine' }),
    spanProcessors: [new SimpleSpanProcessor(other), processor],
  });
  provider.register();
  const tracing = startTracing({ provider: 'join', warn });
  expect(tracing.kind).toBe('joined');
  await conversation({ workflow: 'voice' }, async (c) => {
    await c.step('gpt', () => Promise.reject(new Error('no account for bob@example.com'))).catch(() => {});
  });
  const [service] = readdirSync(folder);
  const [process] = readdirSync(join(folder, service!));
  const segment = readdirSync(join(folder, service!, process!)).find((file) => file.endsWith('.seg'))!;
  expect(readFileSync(join(folder, service!, process!, segment), 'utf8')).toContain('no account for [email]');
  expect(await tracing.flush()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
  expect(tracing.report()).toMatchObject({ finishedSpans: 2, deliveredSpans: 2, waitingSpans: 0 });
  expect(receiver.spans().find(({ name }) => name === 'gpt')?.status.message).toBe('no account for [email]');
  expect(other.getFinishedSpans().map(({ status }) => status.message)).toContain('no account for bob@example.com');
  expect([...receiver.metrics().keys()]).toContain('conversation.active');
  expect(warnings).toEqual([]);
  await tracing.shutdown();
  await provider.shutdown();
  expect(attributesOf(receiver.spans()[0]!)).toBeDefined();
  expect(readdirSync(join(folder, service!))).toEqual([]);
});

test('a choice that cannot be followed is said', async () => {
  const alone = startTracing({
    provider: 'join',
    endpoint: receiver.endpoint,
    metrics: false,
    journal: { folder },
    warn,
  });
  expect(alone.kind).toBe('own');
  await alone.shutdown();
  new NodeTracerProvider().register();
  const joined = startTracing({
    provider: 'own',
    endpoint: receiver.endpoint,
    metrics: false,
    journal: { folder },
    warn,
  });
  expect(joined.kind).toBe('joined');
  await joined.shutdown();
  expect(warnings).toEqual([
    expect.stringContaining("provider is 'join', but no tracer provider is registered"),
    expect.stringContaining("provider is 'own', but the program has registered"),
    expect.stringContaining('OpenTelemetry is set up already'),
  ]);
});

/** A provider with our processor, whose settings are for the whole process. */
function provide(options: Parameters<typeof convotelSpanProcessor>[0] = {}): NodeTracerProvider {
  const processor = convotelSpanProcessor({
    endpoint: receiver.endpoint,
    journal: { folder },
    metrics: false,
    warn,
    ...options,
  });
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  return provider;
}

const sent = (name: string): Record<string, unknown> =>
  attributesOf(receiver.spans().find((span) => span.name === name) ?? { attributes: [] });

test.each(['alone', 'and joined'])('its options are those of the process: %s', async (how) => {
  const provider = provide({
    classifyError: () => 'interrupted',
    maxOpenMs: 30,
    captureContent: 'truncated',
  });
  // Joining without a word about these leaves them as they are.
  const joined = how === 'and joined' ? startTracing() : undefined;
  await conversation(async (c) => {
    await c.step('gpt', () => Promise.reject(new Error('hung up'))).catch(() => {});
    c.step('tts', () => 'y'.repeat(5000));
  });
  const { maxContentLength } = processSettings();
  expect(maxContentLength).toBeLessThan(2000);
  const open = startConversation();
  open.startStep('hangs');
  const deadlineMs = performance.now() + 20_000;
  while (sent('hangs')['conversation.outcome'] === undefined && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await provider.forceFlush();
  }
  expect(sent('hangs')['conversation.outcome']).toBe('abandoned');
  expect(sent('gpt')['conversation.outcome']).toBe('interrupted');
  expect(sent('tts')['conversation.pii.output_text']).toBe(`${'y'.repeat(1000)}…`);
  processSettings().warn?.('through the process');
  expect(warnings).toContain('through the process');
  await joined?.shutdown();
  await provider.shutdown();
});

test('what joins it may switch truncated content on', async () => {
  const provider = provide();
  const tracing = startTracing({ captureContent: 'truncated', warn });
  conversation((c) => c.step('tts', () => `${'y '.repeat(493)}bob@canary.example ${'z '.repeat(3000)}`));
  await tracing.shutdown();
  expect(sent('tts')['conversation.pii.output_text']).toBe(`${'y '.repeat(493)}[em…`);
  await provider.shutdown();
});

test('an option that cannot be used is said, and warnings that throw reach nobody', async () => {
  const provider = provide({
    classifyError: 'failed' as never,
    maxOpenMs: -1,
    warn: (message) => {
      warnings.push(message);
      throw new Error('warn is broken');
    },
  });
  expect(warnings).toEqual([
    expect.stringContaining('the option classifyError is "failed"'),
    expect.stringContaining('the option maxOpenMs is -1'),
  ]);
  await provider.shutdown();
});

test('the shutdown of the provider ends what is open', async () => {
  const provider = provide();
  startConversation().startStep('open');
  await provider.shutdown();
  expect(sent('open')['conversation.outcome']).toBe('abandoned');
  expect(sent('conversation')['conversation.outcome']).toBeDefined();
});

test('an option that the processor, or a setup that joins it, has no use for is named', async () => {
  const options = { endpoint: receiver.endpoint, journal: { folder } };
  const processor = convotelSpanProcessor({ ...options, samplingRatio: 0.5, serviceName: 'mine', warn });
  expect(warnings).toEqual([expect.stringMatching(/does not use the option samplingRatio: its provider decides/)]);
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  // What the processor was given alike is in use.
  const used = {
    classifyError: () => undefined,
    maxOpenMs: 60_000,
    captureContent: true,
    replaceIds: (id: string) => id,
  };
  const tracing = startTracing({ ...options, ...used, provider: 'join', serviceName: 'other', metrics: false, warn });
  expect(warnings[1]).toMatch(/the options "serviceName" and "metrics" are not used, .* Give them to that processor/);
  conversation((c) => c.step('stt', () => {}));
  expect(warnings[2]).toMatch(/serviceName is "mine", but the resource .* has "unknown_service:/);
  expect(warnings).toHaveLength(3);
  await tracing.shutdown();
  await provider.shutdown();
});

test('a name that is no option is told about', async () => {
  const misspelt = { servicename: 'mine', journal: false, metrics: false, endpoint: receiver.endpoint, warn };
  const tracing = startTracing(misspelt);
  expect(warnings).toEqual([expect.stringContaining('there is no option "servicename"')]);
  await tracing.shutdown();
});

test('of two processors, as a hot reload makes them, the one that gets spans is flushed and reports', async () => {
  const options = { endpoint: receiver.endpoint, metrics: false, warn };
  const first = convotelSpanProcessor({ ...options, journal: { folder } });
  const provider = new NodeTracerProvider({ spanProcessors: [first] });
  provider.register();
  const second = convotelSpanProcessor({ ...options, journal: { folder } });
  const tracing = startTracing({ provider: 'join', warn });
  conversation((c) => c.step('stt', () => {}));
  expect(await tracing.flush()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
  expect(tracing.report()).toMatchObject({ finishedSpans: 2 });
  await tracing.shutdown();
  await Promise.all([provider.shutdown(), second.shutdown()]);
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { processSettings, rootSpanIdOf, traceIdOf } from '@convotel/conventions';
import { startTracing, TracingOptionsError } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, step } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import { withEnvironment } from './support/environment.ts';
import { attributesOf, startOtlpReceiver } from './support/otlp-receiver.ts';
import type { OtlpReceiver, OtlpSpan } from './support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let tracing: Tracing | undefined;
let warnings: string[];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  warnings = [];
});

afterEach(async () => {
  await tracing?.shutdown({ deadlineMs: 1000 });
  tracing = undefined;
  delete processSettings().captureContent;
  await receiver.stop();
});

function start(options: TracingOptions = {}): Tracing {
  tracing = startTracing({
    endpoint: receiver.endpoint,
    metrics: false,
    warn: (message) => void warnings.push(message),
    ...options,
  });
  return tracing;
}

async function talk(conversationId = 'c-1'): Promise<void> {
  await conversation({ conversationId, workflow: 'voice' }, async () => {
    await step('stt', async () => 'hello');
    await step('gpt', async () => Promise.reject(new Error('no answer for bob@example.com'))).catch(() => {});
  });
}

function span(name: string): OtlpSpan {
  const found = receiver.spans().filter((each) => each.name === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a conversation', () => {
  test('arrives whole, under the ids that follow from its conversation id', async () => {
    const { flush, kind } = start({ serviceName: 'voice-bot' });
    expect(kind).toBe('own');
    await talk('20251008_143022_a1b2c3d4');
    expect(await flush()).toEqual({ deliveredSpans: 3, undeliveredSpans: 0 });
    const root = span('conversation');
    expect(root.traceId).toBe(traceIdOf('20251008_143022_a1b2c3d4'));
    expect(root.spanId).toBe(rootSpanIdOf('20251008_143022_a1b2c3d4'));
    expect([span('stt').parentSpanId, span('gpt').parentSpanId]).toEqual([root.spanId, root.spanId]);
    expect(span('stt').spanId).not.toBe(root.spanId);
    expect(warnings).toEqual([]);
  });

  test('a second one under the same id has the same trace id, and a warning', async () => {
    const { flush } = start();
    await talk('twice');
    await talk('twice');
    await flush();
    const traceIds = receiver.spans().flatMap(({ name, traceId }) => (name === 'conversation' ? [traceId] : []));
    expect(traceIds).toEqual([traceIdOf('twice'), traceIdOf('twice')]);
    expect(warnings).toEqual([expect.stringContaining('"twice"')]);
  });

  test("of a program's own making has the same ids", async () => {
    const { flush } = start();
    const tracer = trace.getTracer('foreign');
    const attributes = { 'conversation.id': 'own' };
    tracer.startActiveSpan('conversation', { attributes }, (root) => {
      tracer.startSpan('stt').end();
      root.end();
    });
    tracer.startSpan('conversation', { attributes: { 'conversation.id': 'by hand' } }).end();
    await flush();
    const roots = receiver.spans().filter(({ name }) => name === 'conversation');
    expect(roots.map(({ traceId }) => traceId)).toEqual([traceIdOf('own'), traceIdOf('by hand')]);
    expect(span('stt').parentSpanId).toBe(rootSpanIdOf('own'));
  });

  test('a span inside another trace keeps the ids of that trace, whatever its name', async () => {
    const { flush } = start();
    const tracer = trace.getTracer('foreign');
    tracer.startActiveSpan('server', (server) => {
      tracer.startSpan('conversation', { attributes: { 'conversation.id': 'below' } }).end();
      server.end();
    });
    await flush();
    expect(span('conversation').traceId).toBe(span('server').traceId);
    expect(span('conversation').spanId).not.toBe(rootSpanIdOf('below'));
  });
});

describe('the resource', () => {
  test('names the program and the process', async () => {
    const { flush } = start({ serviceName: 'voice-bot', resourceAttributes: { 'service.version': '1.2.3' } });
    await talk();
    await flush();
    expect(receiver.resource()).toMatchObject({
      'service.name': 'voice-bot',
      'service.version': '1.2.3',
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(receiver.resource()).not.toHaveProperty(['conversation.sampling.ratio']);
  });

  test('takes what the environment says, and options win', async () => {
    const variables = {
      OTEL_SERVICE_NAME: 'from-environment',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.version=0,service.instance.id=me',
    };
    await withEnvironment(variables, async () => {
      const { flush, shutdown } = start({ resourceAttributes: { 'service.version': '2' } });
      await talk();
      await flush();
      const common = { 'deployment.environment.name': 'test', 'service.version': '2', 'service.instance.id': 'me' };
      expect(receiver.resource()).toMatchObject({ ...common, 'service.name': 'from-environment' });
      await shutdown();
      const second = start({ serviceName: 'from-option' });
      await talk();
      await second.flush();
      expect(receiver.resource()).toMatchObject({ 'service.name': 'from-option', 'service.version': '0' });
    });
  });
});

describe('sampling', () => {
  test('keeps whole conversations, and the resource says the ratio', async () => {
    const { flush } = start({ samplingRatio: 0.5 });
    for (let index = 0; index < 60; index += 1) await talk(`c-${index}`);
    await flush();
    const spansByTrace = new Map<string, number>();
    for (const { traceId } of receiver.spans()) spansByTrace.set(traceId, (spansByTrace.get(traceId) ?? 0) + 1);
    expect(new Set(spansByTrace.values())).toEqual(new Set([3]));
    expect(spansByTrace.size).toBeGreaterThan(10);
    expect(spansByTrace.size).toBeLessThan(50);
    expect(receiver.resource()['conversation.sampling.ratio']).toBe(0.5);
  });

  test('by the environment says its ratio too', async () => {
    const variables = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.999999' };
    await withEnvironment(variables, async () => {
      const { flush } = start();
      await talk();
      await flush();
      expect(receiver.resource()['conversation.sampling.ratio']).toBe(0.999999);
    });
  });

  test('always_off sends nothing', async () => {
    await withEnvironment({ OTEL_TRACES_SAMPLER: 'always_off' }, async () => {
      const { flush } = start();
      await talk();
      expect(await flush()).toEqual({ deliveredSpans: 0, undeliveredSpans: 0 });
      expect(receiver.requests).toEqual([]);
    });
  });
});

describe('error messages', () => {
  test('are redacted by default', async () => {
    const { flush } = start();
    await talk();
    await flush();
    expect(span('gpt').status).toEqual({ code: 2, message: 'no answer for [email]' });
  });

  test('stay in the process when the program says so', async () => {
    const { flush } = start({ errorMessages: 'none' });
    await talk();
    await flush();
    expect(span('gpt').status).toEqual({ code: 2 });
    expect(attributesOf(span('gpt'))).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': 'Error' });
  });

  test("pass the program's own redactor; one that throws loses the message and is named once", async () => {
    const { flush } = start({
      redactErrorMessage: (message) => {
        if (message.includes('bob')) throw new Error(message);
        return message.toUpperCase();
      },
    });
    await talk('a');
    await talk('b');
    await conversation(async () => Promise.reject(new Error('shout'))).catch(() => {});
    await flush();
    const messages = receiver.spans().flatMap(({ status }) => (status.code === 2 ? [status.message] : []));
    // Two steps, the two conversations that they failed, and one that failed on its own.
    expect(messages).toEqual([undefined, undefined, undefined, undefined, 'SHOUT']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('bob');
  });

  test('of exceptions that other instrumentations record are redacted too', async () => {
    const { flush } = start();
    const post = trace.getTracer('http').startSpan('POST');
    post.recordException(new Error('bob@example.com is unknown'));
    post.end();
    await flush();
    const [event] = span('POST').events;
    expect(attributesOf(event!)['exception.message']).toBe('[email] is unknown');
    expect(attributesOf(event!)['exception.stacktrace']).not.toContain('bob@');
  });
});

describe('settings', () => {
  test('headers, compression and address of the environment are used', async () => {
    const variables = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    };
    await withEnvironment(variables, async () => {
      tracing = startTracing({ metrics: false });
      await talk();
      expect(await tracing.flush()).toEqual({ deliveredSpans: 3, undeliveredSpans: 0 });
    });
    expect(receiver.requests).toMatchObject([
      { path: '/v1/traces', headers: { 'x-key': 'secret', 'content-encoding': 'gzip' } },
    ]);
    expect(receiver.spans()).toHaveLength(3);
  });

  test('options win over the environment', async () => {
    const variables = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=environment',
    };
    await withEnvironment(variables, async () => {
      const { flush } = start({ endpoint: `${receiver.endpoint}/`, headers: { 'x-key': 'option' } });
      await talk();
      await flush();
    });
    expect(receiver.requests).toMatchObject([{ path: '/v1/traces', headers: { 'x-key': 'option' } }]);
  });

  test('OTEL_SDK_DISABLED traces nothing', async () => {
    await withEnvironment({ OTEL_SDK_DISABLED: 'true' }, async () => {
      const { kind, flush } = start();
      expect(kind).toBe('disabled');
      await talk();
      expect(await flush()).toEqual({ deliveredSpans: 0, undeliveredSpans: 0 });
    });
    expect(receiver.requests).toEqual([]);
  });

  test('OTEL_TRACES_EXPORTER=none makes spans and sends none; an unknown one is warned about', async () => {
    await withEnvironment({ OTEL_TRACES_EXPORTER: 'none' }, async () => {
      const { shutdown } = start();
      conversation(() => expect(trace.getActiveSpan()?.isRecording()).toBe(true));
      await shutdown();
    });
    expect(receiver.requests).toEqual([]);
    await withEnvironment({ OTEL_TRACES_EXPORTER: 'zipkin' }, async () => start());
    expect(warnings).toEqual([expect.stringContaining('OTEL_TRACES_EXPORTER is zipkin')]);
  });

  test.each([
    [{ endpoint: 'collector:4318' }, 'INVALID_ENDPOINT'],
    [{ endpoint: '' }, 'INVALID_ENDPOINT'],
    [{ endpoint: 'ftp://collector' }, 'INVALID_ENDPOINT'],
    [{ samplingRatio: 1.5 }, 'OPTION_OUT_OF_RANGE'],
    [{ samplingRatio: Number.NaN }, 'OPTION_OUT_OF_RANGE'],
  ])('%j cannot be meant', (options, code) => {
    let thrown: unknown;
    try {
      startTracing(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TracingOptionsError);
    expect(thrown).toMatchObject({ code });
  });

  test('captureContent counts for the whole process', async () => {
    const { flush } = start({ captureContent: true });
    await talk();
    await flush();
    expect(attributesOf(span('stt'))).toMatchObject({ 'conversation.pii.output_text': 'hello' });
  });
});

describe('one setup a process', () => {
  test('called again, the first one stays', async () => {
    const first = start();
    expect(start({ serviceName: 'second' })).toBe(first);
    expect(warnings).toEqual([expect.stringContaining('called before')]);
  });

  test('after shutdown nothing is traced, and a new setup can be started', async () => {
    const first = start();
    await first.shutdown();
    conversation(() => expect(trace.getActiveSpan()?.isRecording()).not.toBe(true));
    const second = start();
    expect(second).not.toBe(first);
    await talk('again');
    expect(await second.flush()).toEqual({ deliveredSpans: 3, undeliveredSpans: 0 });
    expect(span('gpt').parentSpanId).toBe(span('conversation').spanId);
  });

  test('a setup that was shut down before leaves the new one alone', async () => {
    const first = start();
    await first.shutdown();
    const second = start();
    await first.shutdown();
    await talk();
    expect(await second.flush()).toEqual({ deliveredSpans: 3, undeliveredSpans: 0 });
  });

  test('shutdown is done once and tells the same', async () => {
    const { shutdown } = start();
    await talk();
    expect(await Promise.all([shutdown(), shutdown()])).toEqual([
      { deliveredSpans: 3, undeliveredSpans: 0 },
      { deliveredSpans: 3, undeliveredSpans: 0 },
    ]);
  });
});

beforeAll(() => {
  trace.disable();
});

afterAll(() => {
  context.disable();
});

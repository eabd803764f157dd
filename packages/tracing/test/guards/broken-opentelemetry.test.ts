import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { context, diag, DiagLogLevel, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Attributes, Context, ContextManager, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { conversation, startConversation, step, wrapStep } from '@convotel/tracing';

const broken = (): never => {
  throw new Error('OpenTelemetry is broken');
};

/** A processor that throws where it is told to. */
function brokenProcessor(where: 'onStart' | 'onEnd'): SpanProcessor {
  return {
    onStart: where === 'onStart' ? broken : () => {},
    onEnd: where === 'onEnd' ? broken : () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}

function providerWith(config: ConstructorParameters<typeof NodeTracerProvider>[0]): TracerProvider {
  return new NodeTracerProvider(config);
}

/** A span each of whose functions throws. */
const brokenSpan = new Proxy({} as Span, { get: () => broken });

const tracerOf = (startSpan: Tracer['startSpan']): TracerProvider => ({
  getTracer: () => ({ startSpan, startActiveSpan: broken }),
});

const brokenSampler: Sampler = { shouldSample: broken, toString: () => 'broken' };

const providers: Readonly<Record<string, TracerProvider>> = {
  'a provider that throws': { getTracer: broken },
  'a tracer that throws': tracerOf(broken),
  'a tracer that returns nothing': tracerOf(() => undefined as never),
  'a span that throws at everything': tracerOf(() => brokenSpan),
  'a sampler that throws': providerWith({ sampler: brokenSampler }),
  'a processor that throws at the start': providerWith({ spanProcessors: [brokenProcessor('onStart')] }),
  'a processor that throws at the end': providerWith({ spanProcessors: [brokenProcessor('onEnd')] }),
  'an id generator that throws': providerWith({ idGenerator: { generateSpanId: broken, generateTraceId: broken } }),
};

/** Everything that a program may do, and what it got. Each function counts its calls. */
async function program(tracerProvider?: TracerProvider): Promise<{ calls: number; results: unknown[] }> {
  let calls = 0;
  const count = <Value>(value: Value): Value => {
    calls += 1;
    return value;
  };
  const error = new Error("the program's own");
  const options = tracerProvider === undefined ? {} : { tracerProvider };
  const results: unknown[] = [];
  await conversation({ ...options, sessionId: 's' }, async (c) => {
    results.push(c.step('sync', () => count(1)));
    results.push(
      await c.step('async', async (each) => {
        each.output('text');
        each.usage({ inputTokens: 1 });
        each.timing('queue_wait', { seconds: 1 });
        each.firstOutput();
        each.set({ a: 1 });
        each.interrupted();
        return count(2);
      }),
    );
    results.push(await c.step('rejects', async () => Promise.reject(count(error))).catch((caught: unknown) => caught));
    try {
      c.step('throws', { input: 'x', kind: 'client' }, () => {
        throw count(error);
      });
    } catch (caught) {
      results.push(caught);
    }
    results.push(step('free', () => count(3)));
    results.push(wrapStep('wrapped', () => count(4))());
    results.push(c.step('outer', () => c.step('inner', () => count(5))));
    c.set({ a: 1 });
  });
  const handle = startConversation(options);
  handle.recordStep('recorded', { startTime: 1, endTime: 2, output: 'x' });
  results.push(handle.run((c) => c.step('in handle', () => count(6))));
  handle.end();
  return { calls, results };
}

async function expectUntouched(tracerProvider?: TracerProvider): Promise<void> {
  const { calls, results } = await program(tracerProvider);
  const error = results[2];
  expect(error).toMatchObject({ message: "the program's own" });
  expect(results).toEqual([1, 2, error, error, 3, 4, 5, 6]);
  expect(results[3]).toBe(error);
  expect(calls).toBe(8);
}

afterEach(() => {
  trace.disable();
  context.disable();
  diag.disable();
});

describe('a program runs as it would without tracing', () => {
  test('without a provider', () => expectUntouched());

  test.each(Object.keys(providers))('passed in: %s', async (name) => {
    new NodeTracerProvider().register();
    await expectUntouched(providers[name]);
  });

  test.each(Object.keys(providers))('registered: %s', async (name) => {
    trace.setGlobalTracerProvider(providers[name]!);
    await expectUntouched();
  });

  test.each(['before', 'after'] as const)('a context manager that throws %s it calls', async (when) => {
    const manager: ContextManager = {
      active: () => ROOT_CONTEXT,
      with: ((_context: Context, run: () => unknown): never => {
        if (when === 'after') run();
        throw new Error('broken');
      }) as ContextManager['with'],
      bind: (_context, target) => target,
      enable: () => manager,
      disable: () => manager,
    };
    context.setGlobalContextManager(manager);
    await expectUntouched(new NodeTracerProvider());
  });

  test('a context manager that cannot tell what is active', async () => {
    const manager: ContextManager = {
      active: broken,
      with: (_context, run, thisArgument, ...given) => run.call(thisArgument as never, ...given),
      bind: (_context, target) => target,
      enable: () => manager,
      disable: () => manager,
    };
    context.setGlobalContextManager(manager);
    await expectUntouched(new NodeTracerProvider());
  });

  test('a diagnostics logger that throws too', async () => {
    diag.setLogger(
      { error: broken, warn: broken, info: broken, debug: broken, verbose: broken },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    await expectUntouched({ getTracer: broken });
  });
});

test('without a context manager, steps find their conversation and the step around them all the same', async () => {
  const ended: ReadableSpan[] = [];
  trace.setGlobalTracerProvider(
    new NodeTracerProvider({
      spanProcessors: [
        { onStart() {}, onEnd: (span) => ended.push(span), forceFlush: async () => {}, shutdown: async () => {} },
      ],
    }),
  );
  await Promise.all(
    ['a', 'b'].map((conversationId) =>
      conversation({ conversationId }, async () => {
        await step('agent', async () => {
          await sleep(1);
          await step('tool', async () => sleep(1));
        });
        step('tts', () => {});
      }),
    ),
  );
  step('outside', () => {});
  expect(ended).toHaveLength(8);
  for (const tool of ended.filter(({ name }) => name === 'tool')) {
    const agent = ended.find((span) => span.spanContext().spanId === tool.parentSpanContext?.spanId);
    expect(agent?.name).toBe('agent');
    expect(agent?.attributes['conversation.id']).toBe(tool.attributes['conversation.id']);
  }
  expect(context.active()).toBe(ROOT_CONTEXT);
});

test('without a context manager, whoever reads the stream of a step outside of it is outside of it', async () => {
  trace.setGlobalTracerProvider(new NodeTracerProvider());
  const call = startConversation();
  const twoWords = async function* (): AsyncGenerator<string> {
    yield 'a';
    yield 'b';
  };
  const words = call.step('gpt', () => Readable.from(twoWords()));
  const carriers: object[] = [];
  words.on('data', () => step('outside', (outside) => carriers.push(outside.carrier())));
  await once(words, 'end');
  call.end();
  // A step of no conversation has nothing to carry.
  expect(carriers).toEqual([{}, {}]);
});

describe('options that throw when they are read', () => {
  const touchy = (name: string): object => Object.defineProperty({}, name, { enumerable: true, get: broken });

  test.each(['conversationId', 'workflow', 'attributes', 'tracerProvider'])('%s of a conversation', (name) => {
    expect(conversation(touchy(name), (c) => c.step('stt', () => 1))).toBe(1);
  });

  test.each(['input', 'model', 'attempt', 'kind', 'attributes', 'operation'])('%s of a step', (name) => {
    expect(conversation((c) => c.step('stt', touchy(name), () => 1))).toBe(1);
  });

  test('attributes, usage, timings and ends', () => {
    const attributes = touchy('a') as Attributes;
    const result = conversation({ attributes }, (c) => {
      c.set(attributes);
      c.recordStep('recorded', touchy('startTime') as never);
      return c.step('stt', { attributes }, (stt) => {
        stt.set(attributes);
        stt.usage(touchy('inputTokens'));
        stt.timing('queue_wait', touchy('seconds') as never);
        return 1;
      });
    });
    expect(result).toBe(1);
    expect(() => startConversation().end(touchy('endTime'))).not.toThrow();
  });
});

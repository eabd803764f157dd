import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { processRegistry, processSettings } from '@convotel/conventions';
import { SpanStatusCode } from '@opentelemetry/api';
import { conversation, joinConversation, startConversation, step } from '@convotel/tracing';
import { eventually, msOf, recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();
const never = new Promise<never>(() => {});

beforeEach(() => recorder.forget());
afterEach(() => {
  processSettings().maxOpenMs = undefined;
  jest.useRealTimers();
});

const abandonOpen = (reason?: string): void => {
  const registry = (globalThis as { [key: symbol]: { abandonOpen?: (reason?: string) => void } | undefined })[
    Symbol.for('convotel')
  ];
  registry?.abandonOpen?.(reason);
};

describe('timeoutMs', () => {
  test('ends a step whose function never returns, and aborts its signal', async () => {
    let signal!: AbortSignal;
    await conversation(async (c) =>
      Promise.race([
        c.step('gpt', { timeoutMs: 40 }, async (gpt) => {
          signal = gpt.signal;
          return never;
        }),
        sleep(5).then(() => 'sorry'),
      ]),
    );
    await eventually(() => recorder.named('conversation').length === 1);
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'timed_out',
      'conversation.step.timeout': 0.04,
      'error.type': 'TimeoutError',
    });
    expect(recorder.only('gpt').status).toEqual({ code: SpanStatusCode.ERROR, message: 'no result within 40 ms' });
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(39);
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('timed_out');
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('leaves what the function returns later to the program', async () => {
    await conversation(async (c) => {
      expect(await c.step('gpt', { timeoutMs: 5 }, async () => sleep(30, 'late'))).toBe('late');
    });
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('timed_out');
  });

  test('of a step makes the error of the aborted work a time-out for all around it', async () => {
    const talk = conversation(async (c) =>
      c.step('agent', async () =>
        c.step('gpt', { timeoutMs: 10 }, async ({ signal }) => sleep(60_000, undefined, { signal })),
      ),
    );
    await expect(talk).rejects.toMatchObject({ name: 'AbortError' });
    for (const name of ['gpt', 'agent', 'conversation']) {
      expect(recorder.attributesOf(name)['conversation.outcome']).toBe('timed_out');
    }
  });

  test('of an outer step makes an abort inside it a time-out, whatever the client says of it', async () => {
    const talk = conversation(async (c) =>
      c.step('agent', { timeoutMs: 10 }, async () =>
        step('gpt', async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          // As the clients of openai and anthropic: without a cause.
          throw Object.assign(new Error('Request was aborted.'), { name: 'APIUserAbortError' });
        }),
      ),
    );
    await expect(talk).rejects.toMatchObject({ name: 'APIUserAbortError' });
    for (const name of ['gpt', 'agent', 'conversation']) {
      expect(recorder.attributesOf(name)['conversation.outcome']).toBe('timed_out');
    }
  });

  test('aborts the signals of the steps inside', async () => {
    let inner!: AbortSignal;
    await conversation(async (c) => {
      await c
        .step('agent', { timeoutMs: 10 }, async () =>
          step('gpt', async ({ signal }) => {
            inner = signal;
            await sleep(60_000, undefined, { signal });
          }),
        )
        .catch(() => {});
    });
    expect(inner.aborted).toBe(true);
  });

  test('works without a provider, because the program relies on the signal', async () => {
    const { tracerProvider } = { tracerProvider: { getTracer: () => undefined as never } };
    await expect(
      conversation({ tracerProvider }, async (c) =>
        c.step('gpt', { timeoutMs: 10 }, async ({ signal }) => sleep(60_000, undefined, { signal })),
      ),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  test.each([[0], [-1], [Number.NaN], ['5000'], [null]])('of %p is ignored with a warning', async (timeoutMs) => {
    await conversation(async (c) => c.step('gpt', { timeoutMs: timeoutMs as number }, async () => 'x'));
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.timeout']);
    expect(recorder.warnings).toEqual([expect.stringContaining('timeoutMs must be a number of milliseconds above 0')]);
  });

  test('of one step after another is kept for each', async () => {
    await conversation(async (c) => {
      for (let index = 0; index < 20; index += 1) await c.step('quick', { timeoutMs: 1000 }, async () => sleep(2));
      await c
        .step('slow', { timeoutMs: 1000 }, async ({ signal }) => sleep(60_000, undefined, { signal }))
        .catch(() => {});
    });
    const outcomes = recorder.named('quick').map(({ attributes }) => attributes['conversation.outcome']);
    expect(new Set(outcomes)).toEqual(new Set(['completed']));
    expect(recorder.attributesOf('slow')['conversation.outcome']).toBe('timed_out');
  });

  test('passes under fake timers', async () => {
    jest.useFakeTimers();
    const c = startConversation();
    const gpt = c.startStep('gpt', { timeoutMs: 10 });
    await eventually(() => gpt.signal.aborted);
    c.end();
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('timed_out');
  });

  test('puts one listener on a signal of the program, however many steps follow it', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    await conversation({ signal }, async (c) => {
      for (let index = 0; index < 50; index += 1) {
        await c.step('gpt', { timeoutMs: 1000 }, async (gpt) => expect(gpt.signal.aborted).toBe(false));
      }
    });
    expect(listeners).toBe(1);
  });

  test('is still said by a signal that is asked for when the time was up', async () => {
    const c = startConversation();
    const gpt = c.startStep('gpt', { timeoutMs: 5 });
    c.end();
    await eventually(() => recorder.named('gpt').length === 1);
    expect(gpt.signal.reason).toMatchObject({ name: 'TimeoutError' });
  });
});

describe('maxOpenMs', () => {
  test.each(['step', 'conversation', 'process'] as const)(
    'of the %s abandons what is open for longer',
    async (where) => {
      if (where === 'process') processSettings().maxOpenMs = 30;
      const c = startConversation(where === 'conversation' ? { maxOpenMs: 30 } : {});
      c.startStep('gpt', where === 'step' ? { maxOpenMs: 30 } : {});
      c.end();
      await eventually(() => recorder.named('conversation').length === 1 && recorder.named('gpt').length === 1);
      expect(recorder.attributesOf('gpt')).toMatchObject({
        'conversation.outcome': 'abandoned',
        'error.type': 'abandoned',
      });
      expect(recorder.only('gpt').status.message).toBe('still open after 30 ms');
      expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('abandoned');
    },
  );

  test('of Infinity is none', async () => {
    const c = startConversation({ maxOpenMs: Number.POSITIVE_INFINITY });
    const gpt = c.startStep('gpt', { timeoutMs: Number.POSITIVE_INFINITY });
    await sleep(20);
    gpt.end();
    c.end();
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.timeout']);
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('completed');
    expect(recorder.warnings).toEqual([]);
  });

  test('abandons a conversation that nobody ends', async () => {
    startConversation({ maxOpenMs: 20 });
    await eventually(() => recorder.named('conversation').length === 1);
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('abandoned');
  });
});

describe('when the process stops tracing', () => {
  test('what is open ends as abandoned, inner steps first', async () => {
    const hung = conversation({ conversationId: 'hung', workflow: 'voice' }, async (c) => {
      await c.step('stt', async () => 'hello');
      await Promise.race([c.step('agent', async () => step('gpt', async () => never)), sleep(1)]);
    });
    await hung;
    const left = startConversation({ conversationId: 'left' });
    abandonOpen('SIGTERM');
    expect(recorder.spans().map(({ name }) => name)).toEqual(['stt', 'gpt', 'agent', 'conversation', 'conversation']);
    expect(recorder.only('gpt').status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'still open when tracing stopped: SIGTERM',
    });
    for (const root of recorder.named('conversation')) {
      expect(root.attributes['conversation.outcome']).toBe('abandoned');
    }
    left.end();
    abandonOpen();
    expect(recorder.named('conversation')).toHaveLength(2);
  });

  test('what was interrupted or never began is no hang', () => {
    const c = startConversation();
    c.startStep('tts').interrupted('barge-in');
    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    c.step('memory', () => ({ then: () => {} }));
    abandonOpen();
    const outcomes = recorder.spans().map(({ name, attributes }) => [name, attributes['conversation.outcome']]);
    expect(outcomes).toEqual([
      ['memory', 'interrupted'],
      ['tts', 'interrupted'],
      ['conversation', 'abandoned'],
    ]);
  });

  test('nothing is left behind in the registry', async () => {
    await conversation(async (c) => c.step('gpt', async () => 'x'));
    joinConversation('elsewhere', (c) => c.step('gpt', () => 'x'));
    recorder.forget();
    processRegistry().abandonOpen?.('end');
    expect(recorder.spans()).toEqual([]);
  });
});

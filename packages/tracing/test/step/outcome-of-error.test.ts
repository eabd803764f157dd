import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processSettings } from '@convotel/conventions';
import { SpanStatusCode } from '@opentelemetry/api';
import { conversation, startConversation } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());
afterEach(() => {
  processSettings().classifyError = undefined;
});

const error = (properties: object, message = 'broken', cause?: unknown): Error =>
  Object.assign(new Error(message, cause === undefined ? {} : { cause }), properties);

/** What the step says that threw `thrown`: outcome and error type. */
async function judged(thrown: unknown): Promise<[unknown, unknown]> {
  recorder.forget();
  await conversation(async (c) => {
    await c.step('gpt', async () => Promise.reject(thrown)).catch(() => {});
  });
  const attributes = recorder.attributesOf('gpt');
  return [attributes['conversation.outcome'], attributes['error.type']];
}

class APIError extends Error {}
class APIUserAbortError extends APIError {}
class APIConnectionTimeoutError extends APIError {}
class OwnAbort extends APIUserAbortError {}

const abort = (): unknown => new DOMException('left', 'AbortError');
const refused = (): Error => error({ code: 'ECONNREFUSED' }, 'connect ECONNREFUSED 127.0.0.1:1');
const deep = (levels: number, innermost: unknown): unknown =>
  levels === 0 ? innermost : new Error(`level ${levels}`, { cause: deep(levels - 1, innermost) });

function cyclic(): Error {
  const first = new Error('first');
  const second = new Error('second', { cause: first });
  return Object.assign(first, { cause: second });
}

describe('an error interrupts', () => {
  test.each<[string, unknown]>([
    ['an abort of fetch', abort()],
    ['an abort of openai and anthropic', new APIUserAbortError('Request was aborted.')],
    ['a class below one of theirs', new OwnAbort('mine')],
    ['a cancelled axios request', error({ name: 'CanceledError', code: 'ERR_CANCELED' })],
    ['a CancelledError', error({ name: 'CancelledError' })],
    ['a CancelError of got', error({ name: 'CancelError' })],
    ['an abort of Node', error({ code: 'ABORT_ERR' })],
    ['a cancelled gRPC call', error({ code: 1, details: 'Cancelled on client' })],
    ['an abort that was wrapped', error({}, 'turn failed', abort())],
    ['an abort eight levels deep', deep(7, abort())],
    ['an aggregate of aborts only', new AggregateError([abort(), abort()])],
  ])('%s', async (_name, thrown) => {
    expect(await judged(thrown)).toEqual(['interrupted', undefined]);
  });
});

describe('an error times out', () => {
  test.each<[string, unknown, string]>([
    ['AbortSignal.timeout', new DOMException('late', 'TimeoutError'), 'TimeoutError'],
    ['a timeout of openai and anthropic', new APIConnectionTimeoutError('late'), 'APIConnectionTimeoutError'],
    ['axios', error({ name: 'AxiosError', code: 'ECONNABORTED' }), 'ECONNABORTED'],
    ['a socket', error({ code: 'ESOCKETTIMEDOUT' }), 'ESOCKETTIMEDOUT'],
    [
      'undici below fetch',
      new TypeError('fetch failed', { cause: error({ code: 'UND_ERR_CONNECT_TIMEOUT' }) }),
      'UND_ERR_CONNECT_TIMEOUT',
    ],
    ['a gRPC deadline', error({ code: 4, details: 'Deadline exceeded' }), 'Error'],
    ['HTTP 408', error({ status: 408 }), 'http_408'],
    ['HTTP 504 as statusCode', error({ statusCode: 504 }), 'http_504'],
    ['HTTP 504 of a response', error({ response: { status: 504 } }), 'http_504'],
    [
      'an abort because of a time-out',
      error({ name: 'AbortError' }, 'x', new DOMException('late', 'TimeoutError')),
      'AbortError',
    ],
    ['an aggregate of time-outs only', new AggregateError([error({ code: 'ETIMEDOUT' })]), 'AggregateError'],
  ])('%s', async (_name, thrown, errorType) => {
    expect(await judged(thrown)).toEqual(['timed_out', errorType]);
  });
});

describe('an error fails', () => {
  test.each<[string, unknown, string]>([
    ['fetch that was refused', new TypeError('fetch failed', { cause: refused() }), 'ECONNREFUSED'],
    ['a plain error around a code', error({}, 'no answer', refused()), 'ECONNREFUSED'],
    ['an error class around a code', new APIError('no', { cause: refused() }), 'APIError'],
    [
      'an error with a code',
      error({ code: 'rate_limit_exceeded', type: 'requests', status: 429 }),
      'rate_limit_exceeded',
    ],
    ['an error with a type', error({ code: null, type: 'overloaded_error', status: 529 }), 'overloaded_error'],
    ['HTTP 429', error({ status: 429 }), 'http_429'],
    ["p-retry's AbortError around a failure", error({ name: 'AbortError', originalError: refused() }), 'ECONNREFUSED'],
    ["p-retry's AbortError around an abort", error({ name: 'AbortError', originalError: abort() }), 'AbortError'],
    ['an aggregate of an abort and a failure', new AggregateError([abort(), new Error('x')]), 'AggregateError'],
    ['an empty aggregate', new AggregateError([]), 'AggregateError'],
    ['a number that is no gRPC code', error({ code: 1 }), 'Error'],
    ['an abort nine levels deep', deep(8, abort()), 'Error'],
    ['an error that causes itself', cyclic(), 'Error'],
    ['a code that is a sentence', error({ code: 'something went wrong' }), 'Error'],
    ['an error that was asked for nothing', error({ originalError: undefined }), 'Error'],
  ])('%s', async (_name, thrown, errorType) => {
    expect(await judged(thrown)).toEqual(['failed', errorType]);
  });

  test('with the first message that says something', async () => {
    await judged(new AggregateError([refused()], '', { cause: refused() }));
    expect(recorder.only('gpt').status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'connect ECONNREFUSED 127.0.0.1:1',
    });
  });
});

describe('signals', () => {
  const onSignals = ['step', 'step around', 'conversation'] as const;

  test.each(onSignals)('of the %s make an error that arrives after the abortion an interruption', async (where) => {
    const controller = new AbortController();
    const given = (name: (typeof onSignals)[number]): { signal?: AbortSignal } =>
      name === where ? { signal: controller.signal } : {};
    await conversation(given('conversation'), async (c) => {
      await c.step('agent', given('step around'), async () => {
        await c
          .step('tts', given('step'), async () => {
            controller.abort('barge-in');
            throw new Error('socket closed');
          })
          .catch(() => {});
      });
    });
    expect(recorder.attributesOf('tts')['conversation.outcome']).toBe('interrupted');
  });

  test('with a time-out as the reason say so', async () => {
    const signal = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    await conversation({ signal }, async (c) => {
      await c.step('tts', async () => Promise.reject(new Error('socket closed'))).catch(() => {});
    });
    expect(recorder.attributesOf('tts')).toMatchObject({ 'conversation.outcome': 'timed_out', 'error.type': 'Error' });
  });

  test('the string of abort(reason) reaches the conversation as an interruption too', async () => {
    const controller = new AbortController();
    const talk = conversation(async (c) =>
      c.step('gpt', { signal: controller.signal }, async (step) => {
        controller.abort('enough');
        step.signal.throwIfAborted();
      }),
    );
    await expect(talk).rejects.toBe('enough');
    for (const name of ['gpt', 'conversation']) {
      expect(recorder.attributesOf(name)).toMatchObject({
        'conversation.outcome': 'interrupted',
        'conversation.step.interruption.reason': 'enough',
      });
    }
  });

  test('step.signal follows the signals around it, and keeps doing so when the step is over', async () => {
    const outer = new AbortController();
    let kept!: AbortSignal;
    await conversation({ signal: outer.signal }, async (c) => {
      await c.step('agent', async () =>
        c.step('gpt', async ({ signal }) => {
          kept = signal;
          expect(signal.aborted).toBe(false);
        }),
      );
    });
    outer.abort('hung up');
    expect(kept.reason).toBe('hung up');
  });
});

describe('the same error', () => {
  test('that ended an interrupted step does not fail the steps around it, nor the conversation', async () => {
    const talk = conversation(async (c) =>
      c.step('agent', async () =>
        c.step('tts', async (tts) => {
          tts.interrupted('barge-in');
          throw new Error('socket closed');
        }),
      ),
    );
    await expect(talk).rejects.toThrow('socket closed');
    for (const name of ['tts', 'agent', 'conversation']) {
      expect(recorder.attributesOf(name)['conversation.outcome']).toBe('interrupted');
    }
    expect(recorder.attributesOf('conversation')['conversation.step.interruption.reason']).toBeUndefined();
  });

  test('does not fail the conversation either when it arrives wrapped', async () => {
    const talk = conversation(async (c) => {
      try {
        await c.step('tts', async (tts) => {
          tts.interrupted('barge-in');
          throw new Error('socket closed');
        });
      } catch (cause) {
        throw new Error('turn failed', { cause });
      }
    });
    await expect(talk).rejects.toThrow('turn failed');
    expect(recorder.attributesOf('conversation')).toMatchObject({
      'conversation.outcome': 'interrupted',
      'conversation.step.interruption.reason': 'barge-in',
    });
  });

  test('thrown by a later step on its own is judged anew', async () => {
    const busy = new Error('busy');
    await conversation(async (c) => {
      const left = c.step('tts', async (tts) => {
        tts.interrupted();
        throw busy;
      });
      await left.catch(() => {});
      await c.step('gpt', async () => Promise.reject(busy)).catch(() => {});
    });
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('failed');
  });
});

describe('classifyError', () => {
  class NotFound extends Error {}
  const failing = async (): Promise<never> => Promise.reject(new NotFound('nobody'));

  test('of the step comes before that of the conversation, and this before that of the process', async () => {
    const asked: string[] = [];
    const classifier =
      (name: string, outcome?: 'completed' | 'interrupted') =>
      (_error: unknown, step?: { name: string; attempt: number }) => {
        asked.push(`${name} ${step?.name} ${step?.attempt}`);
        return outcome;
      };
    processSettings().classifyError = classifier('process', 'completed');
    await conversation({ classifyError: classifier('conversation') }, async (c) => {
      await c.step('look-up', { attempt: 2, classifyError: classifier('step') }, failing).catch(() => {});
    });
    expect(asked).toEqual(['step look-up 2', 'conversation look-up 2', 'process look-up 2']);
    expect(recorder.attributesOf('look-up')['conversation.outcome']).toBe('completed');
    expect(recorder.only('look-up').status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test('speaks for the conversation too, where the error gets that far', async () => {
    const classifyError = (thrown: unknown, step?: object) =>
      thrown instanceof NotFound && step === undefined ? ('completed' as const) : undefined;
    await expect(conversation({ classifyError }, failing)).rejects.toThrow('nobody');
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('completed');
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('classifier');
      },
    ],
    ['says nothing that is an outcome', () => 'whatever'],
  ])('that %s is ignored', async (_name, classify) => {
    await conversation({ classifyError: classify as () => undefined }, async (c) => {
      await c.step('gpt', async () => Promise.reject(abort() as Error)).catch(() => {});
    });
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('interrupted');
  });

  test('judges recorded errors as well', () => {
    const c = startConversation();
    c.recordStep('gpt', {
      startTime: Date.now() - 10,
      endTime: Date.now(),
      error: new NotFound('nobody'),
      classifyError: () => 'interrupted',
    });
    c.end();
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('interrupted');
  });
});

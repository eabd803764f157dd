import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { conversation, step, wrapStep } from '@convotel/tracing';
import { SamplingDecision } from '@opentelemetry/sdk-trace-node';
import { msOf, recordSpans } from '../support/span-recorder.ts';

/** How long the start of a span takes before its time begins. */
let samplingMs = 0;
const recorder = recordSpans({
  shouldSample() {
    const untilMs = performance.now() + samplingMs;
    while (performance.now() < untilMs);
    return { decision: SamplingDecision.RECORD_AND_SAMPLED };
  },
});

beforeEach(() => {
  samplingMs = 0;
  recorder.forget();
});

describe('what a step returns', () => {
  test('a plain value comes back plain, in the same tick', () => {
    const value = { audio: new Uint8Array(3) };
    conversation((c) => expect(c.step('request', () => value)).toBe(value));
    expect(recorder.only('request').status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test('a promise comes back as a promise, and the span lasts until it is settled', async () => {
    const heard = await conversation(async (c) => {
      const promise = c.step('stt', async () => {
        await sleep(30);
        return 'hello';
      });
      expect(promise).toBeInstanceOf(Promise);
      return promise;
    });
    expect(heard).toBe('hello');
    expect(msOf(recorder.only('stt').duration)).toBeGreaterThanOrEqual(28);
    expect(recorder.attributesOf('stt')['conversation.output.chars']).toBe(5);
  });

  test('what a program hangs on a promise is still there', async () => {
    const cancel = (): string => 'cancelled';
    const promise = conversation((c) => c.step('gpt', () => Object.assign(Promise.resolve(1), { cancel })));
    expect(promise.cancel).toBe(cancel);
    await expect(promise).resolves.toBe(1);
  });

  test('a lazy thenable is the same object and runs once, when it is asked for', async () => {
    class Query {
      runs = 0;
      // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
      then<Result>(onFulfilled?: (rows: number) => Result): Promise<Result | number> {
        this.runs += 1;
        return Promise.resolve(7).then(onFulfilled);
      }
    }
    const query = new Query();
    const rows = await conversation(async (c) => {
      const returned = c.step('memory', () => query);
      expect(returned).toBe(query);
      await sleep(10);
      expect(query.runs).toBe(0);
      expect(recorder.named('memory')).toHaveLength(0);
      return returned;
    });
    expect(rows).toBe(7);
    expect(query.runs).toBe(1);
    expect(recorder.named('memory')).toHaveLength(1);
    expect(recorder.named('conversation')).toHaveLength(1);
  });

  test('a lazy thenable that was asked for keeps the conversation open until it is settled', async () => {
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    const query = { then: (done: () => void) => void finished.then(done) };
    await conversation(async (c) => void Promise.resolve(c.step('memory', () => query)));
    expect(recorder.named('conversation')).toHaveLength(0);
    finish();
    await sleep(1);
    expect(recorder.named('memory')).toHaveLength(1);
    expect(recorder.named('conversation')).toHaveLength(1);
  });

  test('a lazy thenable that nobody asks for ends with its conversation, interrupted', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    await conversation(async (c) => void c.step('memory', () => ({ then: () => {} })));
    expect(recorder.spans().map((span) => span.name)).toEqual(['memory', 'conversation']);
    expect(recorder.attributesOf('memory')).toMatchObject({ 'conversation.outcome': 'interrupted' });
  });

  test('a subclass of Promise keeps its class and its own functions', async () => {
    class Request extends Promise<string> {
      static override get [Symbol.species](): PromiseConstructor {
        return Promise;
      }

      headers(): string {
        return 'headers';
      }
    }
    await conversation(async (c) => {
      const request = c.step('gpt', () => new Request((resolve) => setTimeout(resolve, 10, 'hi')));
      expect(request).toBeInstanceOf(Request);
      expect(request.headers()).toBe('headers');
      expect(await request).toBe('hi');
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({ 'conversation.output.chars': 2 });
  });

  test('an async iterable comes back untouched', async () => {
    const chunks = (async function* () {
      yield 'a';
      yield 'b';
    })();
    const returned = conversation((c) => c.step('gpt', () => chunks));
    expect(returned).toBe(chunks);
    const seen: string[] = [];
    for await (const chunk of returned) seen.push(chunk);
    expect(seen).toEqual(['a', 'b']);
    expect(recorder.named('gpt')).toHaveLength(1);
  });

  test('a frozen thenable comes back untouched', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    const frozen = Object.freeze({ then: (done: (value: number) => void) => done(1) });
    const returned = conversation((c) => c.step('memory', () => frozen));
    expect(returned).toBe(frozen);
    expect(await returned).toBe(1);
    expect(recorder.named('memory')).toHaveLength(1);
  });
});

describe('attributes', () => {
  test('are those of the conventions, written once', async () => {
    const startMs = performance.now();
    let firstOutputMs = 0;
    await conversation({ conversationId: 'c-1', sessionId: 's-1' }, async (c) =>
      c.step(
        'gpt',
        {
          input: 'how are you',
          model: 'gpt-5',
          provider: 'openai',
          attempt: 2,
          kind: 'client',
          attributes: { 'app.a': 1 },
        },
        async (gpt) => {
          gpt.usage({ inputTokens: 10, outputTokens: 20 });
          gpt.usage({ audioSeconds: 3.25 });
          gpt.timing('queue_wait', { seconds: 0.08 });
          gpt.set({ 'app.b': ['x', 'y'] });
          await sleep(20);
          gpt.firstOutput();
          firstOutputMs = performance.now() - startMs;
          await sleep(20);
          gpt.firstOutput();
          return 'fine';
        },
      ),
    );
    const { 'conversation.step.time_to_first_output': firstOutput, ...others } = recorder.attributesOf('gpt');
    expect(others).toEqual({
      'conversation.id': 'c-1',
      'conversation.step.name': 'gpt',
      'conversation.step.attempt': 2,
      'conversation.step.timing.queue_wait': 0.08,
      'conversation.input.chars': 11,
      'conversation.output.chars': 4,
      'conversation.outcome': 'completed',
      'session.id': 's-1',
      'gen_ai.conversation.id': 's-1',
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.provider.name': 'openai',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 20,
      'conversation.audio.duration': 3.25,
      'app.a': 1,
      'app.b': ['x', 'y'],
    });
    expect(firstOutput).toBeGreaterThan(0.018);
    expect(firstOutput).toBeLessThanOrEqual(firstOutputMs / 1000);
    expect(recorder.only('gpt').kind).toBe(SpanKind.CLIENT);
  });

  test('the first output lies within the span, however long that took to start', () => {
    samplingMs = 20;
    conversation((c) => c.step('tts', (tts) => tts.firstOutput()));
    const { attributes, duration } = recorder.only('tts');
    expect(attributes['conversation.step.time_to_first_output']).toBeLessThanOrEqual(msOf(duration) / 1000);
  });

  test('the outputs that the step names win over the string that it returns', () => {
    conversation({ captureContent: true }, (c) =>
      c.step('stt', (stt) => {
        stt.input('<audio>');
        stt.output('hello');
        return 'internal id';
      }),
    );
    expect(recorder.attributesOf('stt')).toMatchObject({
      'conversation.pii.input_text': '<audio>',
      'conversation.pii.output_text': 'hello',
      'conversation.output.chars': 5,
    });
  });

  test('numbers that are not finite and lengths that cannot be never get on a span', () => {
    conversation((c) =>
      c.step(
        'gpt',
        { attempt: Number.NaN, attributes: { 'app.nan': Number.NaN, 'app.list': [1, Number.NaN], 'app.ok': 1 } },
        (gpt) => {
          gpt.usage({ inputTokens: Number.NaN, outputTokens: -1, audioSeconds: -0.5 });
          gpt.usage({ audioSeconds: Number.POSITIVE_INFINITY });
          gpt.timing('queue_wait', { seconds: Number.POSITIVE_INFINITY });
          gpt.timing('busy_wait', { seconds: -1 });
          gpt.timing('playback', undefined as never);
          gpt.set({ 'app.infinite': Number.NEGATIVE_INFINITY, 'app.function': (() => 1) as never });
        },
      ),
    );
    const { 'conversation.id': _id, ...others } = recorder.attributesOf('gpt');
    expect(others).toEqual({
      'conversation.step.name': 'gpt',
      'conversation.outcome': 'completed',
      'gen_ai.operation.name': 'chat',
      'app.ok': 1,
    });
  });

  test('the program cannot replace the attributes of the conventions at start', () => {
    conversation({ conversationId: 'mine', attributes: { 'conversation.id': 'x' } }, (c) =>
      c.step('stt', { operation: 'own', attributes: { 'gen_ai.operation.name': 'x' } }, () => {}),
    );
    expect(recorder.attributesOf('conversation')['conversation.id']).toBe('mine');
    expect(recorder.attributesOf('stt')['gen_ai.operation.name']).toBe('own');
  });
});

describe('errors', () => {
  const timeout = new DOMException('took too long', 'TimeoutError');
  const abort = new DOMException('left', 'AbortError');
  const slow = Object.assign(new Error('connect'), { code: 'ETIMEDOUT' });
  const coded = Object.assign(new Error('no'), { code: 'rate_limit_exceeded' });
  class ModelOverloaded extends Error {}

  test.each([
    [new Error('boom'), 'failed', 'Error', 'boom'],
    [new ModelOverloaded('full'), 'failed', 'ModelOverloaded', 'full'],
    [coded, 'failed', 'rate_limit_exceeded', 'no'],
    [timeout, 'timed_out', 'TimeoutError', 'took too long'],
    [slow, 'timed_out', 'ETIMEDOUT', 'connect'],
    ['just text', 'failed', '_OTHER', 'just text'],
    [null, 'failed', '_OTHER', undefined],
    [undefined, 'failed', '_OTHER', undefined],
    [42, 'failed', '_OTHER', undefined],
    [Object.freeze({ message: 'frozen' }), 'failed', '_OTHER', 'frozen'],
  ])('%p goes on as it is', async (error, outcome, errorType, message) => {
    await conversation(async (c) => {
      let caught: unknown = 'nothing';
      try {
        c.step('gpt', () => {
          throw error;
        });
      } catch (thrown) {
        caught = thrown;
      }
      expect(caught).toBe(error);
      await expect(c.step('gpt', async () => Promise.reject(error))).rejects.toBe(error);
    });
    expect(recorder.named('gpt')).toHaveLength(2);
    for (const span of recorder.named('gpt')) {
      expect(span.attributes).toMatchObject({ 'conversation.outcome': outcome, 'error.type': errorType });
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
      expect(span.events).toEqual([]);
    }
  });

  test('an abort interrupts: no error status, no error type', () => {
    conversation((c) => {
      expect(() =>
        c.step('tts', () => {
          throw abort;
        }),
      ).toThrow(abort);
    });
    expect(recorder.only('tts').status).toEqual({ code: SpanStatusCode.UNSET });
    expect(recorder.attributesOf('tts')['conversation.outcome']).toBe('interrupted');
    expect(recorder.attributesOf('tts')).not.toHaveProperty(['error.type']);
  });

  test('a thrown Proxy that throws at every touch goes on as it is', () => {
    const touchy = new Proxy(
      {},
      {
        get() {
          throw new Error('do not touch');
        },
        getPrototypeOf() {
          throw new Error('do not touch');
        },
      },
    );
    let caught: unknown;
    conversation((c) => {
      try {
        c.step('gpt', () => {
          throw touchy;
        });
      } catch (thrown) {
        caught = thrown;
      }
    });
    expect(Object.is(caught, touchy)).toBe(true);
    expect(recorder.attributesOf('gpt')).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': '_OTHER' });
  });

  test('a step that was interrupted stays so, whatever it throws on its way out', () => {
    conversation((c) => {
      expect(() =>
        c.step('tts', (tts) => {
          tts.interrupted('barge-in');
          throw new Error('socket closed');
        }),
      ).toThrow('socket closed');
    });
    expect(recorder.attributesOf('tts')).toMatchObject({
      'conversation.outcome': 'interrupted',
      'conversation.step.interruption.reason': 'barge-in',
    });
  });
});

describe('nesting', () => {
  test('a step inside a step is its child, one level deeper', async () => {
    await conversation(async (c) => {
      await c.step('gpt', async () => {
        await sleep(1);
        await step('tool', async () => c.step('search', () => 'x'));
      });
      step('tts', () => 'y');
    });
    const idOf = (name: string): string => recorder.only(name).spanContext().spanId;
    expect(recorder.only('search').parentSpanContext?.spanId).toBe(idOf('tool'));
    expect(recorder.only('tool').parentSpanContext?.spanId).toBe(idOf('gpt'));
    expect(recorder.only('tts').parentSpanContext?.spanId).toBe(idOf('conversation'));
    const depths = ['gpt', 'tool', 'search', 'tts'].map(
      (name) => recorder.attributesOf(name)['conversation.step.depth'],
    );
    expect(depths).toEqual([undefined, 1, 2, undefined]);
  });

  test('steps at the same time are siblings', async () => {
    await conversation(async (c) => {
      await Promise.all(['a', 'b', 'c'].map((name) => c.step(name, () => sleep(10))));
    });
    const root = recorder.only('conversation').spanContext().spanId;
    expect(['a', 'b', 'c'].map((name) => recorder.only(name).parentSpanContext?.spanId)).toEqual([root, root, root]);
  });

  test("a span of the program's own between two steps does not come between them", async () => {
    await conversation(async (c) =>
      c.step('gpt', () =>
        trace.getTracer('http').startActiveSpan('POST', (post) => {
          c.step('tool', () => {});
          post.end();
        }),
      ),
    );
    expect(recorder.only('tool').parentSpanContext?.spanId).toBe(recorder.only('gpt').spanContext().spanId);
    expect(recorder.only('POST').parentSpanContext?.spanId).toBe(recorder.only('gpt').spanContext().spanId);
  });

  test('what a finished step left running starts outermost steps', async () => {
    await conversation(async (c) => {
      const listening = c.step('request', () => ({
        later: new Promise<void>((resolve) => {
          setTimeout(() => {
            c.step('stt', () => 'hello');
            resolve();
          }, 10);
        }),
      }));
      await listening.later;
    });
    expect(recorder.attributesOf('stt')).not.toHaveProperty(['conversation.step.depth']);
    expect(recorder.only('stt').parentSpanContext?.spanId).toBe(recorder.only('conversation').spanContext().spanId);
  });
});

describe('the free forms', () => {
  test('without a conversation, step() calls its function plainly', () => {
    expect(
      step('stt', (stt) => {
        stt.output('x');
        stt.firstOutput();
        return 5;
      }),
    ).toBe(5);
    expect(recorder.spans()).toHaveLength(0);
  });

  test('wrapStep() keeps this, arguments, name and length', async () => {
    class Whisper {
      readonly prefix = 'heard: ';
      transcribe = wrapStep('stt', async function transcribe(this: Whisper, audio: string): Promise<string> {
        await sleep(1);
        return this.prefix + audio;
      });
    }
    const whisper = new Whisper();
    expect(whisper.transcribe.name).toBe('transcribe');
    expect(whisper.transcribe.length).toBe(1);
    expect(await whisper.transcribe('alone')).toBe('heard: alone');
    expect(recorder.spans()).toHaveLength(0);
    expect(await conversation(() => whisper.transcribe('audio'))).toBe('heard: audio');
    expect(recorder.attributesOf('stt')['conversation.output.chars']).toBe(12);
  });

  test('wrapStep() keeps the properties of a function', () => {
    const think = Object.assign((question: string) => question.length, { model: 'gpt-5' });
    Object.defineProperty(think, 'calls', { get: () => 7, enumerable: true });
    const wrapped = wrapStep('gpt', think);
    expect(Object.entries(wrapped)).toEqual([
      ['model', 'gpt-5'],
      ['calls', 7],
    ]);
    expect(conversation(() => wrapped('why'))).toBe(3);
  });

  test('wrapStep() takes options', () => {
    const think = wrapStep('gpt', { model: 'gpt-5' }, (question: string) => question.length);
    expect(conversation(() => think('why'))).toBe(3);
    expect(recorder.attributesOf('gpt')['gen_ai.request.model']).toBe('gpt-5');
  });
});

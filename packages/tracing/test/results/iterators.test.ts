import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { conversation, step, wrapStep } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const outcomeOf = (name: string): unknown => recorder.attributesOf(name)['conversation.outcome'];

async function* words(): AsyncGenerator<string, string> {
  stopwatch.start();
  for (const word of ['ab', 'cde']) {
    await sleep(20);
    yield word;
  }
  await sleep(20);
  stopwatch.lap();
  return 'all';
}

describe('an async generator', () => {
  test('is the same object, and its step lasts until the last chunk', async () => {
    const generator = words();
    const seen: string[] = [];
    await conversation({ captureContent: true }, async (c) => {
      const returned = c.step('gpt', () => generator);
      expect(returned).toBe(generator);
      for await (const word of returned) seen.push(word);
      expect(recorder.named('gpt')).toHaveLength(1);
    });
    expect(seen).toEqual(['ab', 'cde']);
    const { duration, attributes } = recorder.only('gpt');
    expect(msOf(duration)).toBeGreaterThanOrEqual(stopwatch.workedMs);
    expect(attributes).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 2,
      'conversation.output.chars': 5,
      'conversation.pii.output_text': 'abcde',
    });
    expect(attributes['conversation.step.time_to_first_output']).toBeGreaterThan(0);
    expect(attributes['conversation.step.time_to_first_output']).toBeLessThan(msOf(duration) / 1000);
  });

  test('texts of chunks are counted, not kept, without content capture', async () => {
    await conversation(async (c) => {
      for await (const _ of c.step('gpt', words));
    });
    expect(recorder.attributesOf('gpt')['conversation.output.chars']).toBe(5);
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.pii.output_text']);
  });

  test('runs nothing before it is asked, and no chunk ahead', async () => {
    let produced = 0;
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* () {
        for (;;) yield (produced += 1);
      });
      await sleep(5);
      expect(produced).toBe(0);
      await stream.next();
      await sleep(5);
      expect(produced).toBe(1);
      await stream.return(undefined as never);
    });
  });

  test('gives its return value to who asks by hand', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', words);
      let result = await stream.next();
      while (result.done !== true) result = await stream.next();
      expect(result).toEqual({ done: true, value: 'all' });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });
    expect(outcomeOf('gpt')).toBe('completed');
  });

  test('left early is interrupted, after what it does in the end', async () => {
    let cleaned = false;
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          stopwatch.start();
          await sleep(20);
          stopwatch.lap();
          cleaned = true;
        }
      });
      for await (const _ of stream) break;
      expect(cleaned).toBe(true);
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'interrupted',
      'conversation.step.chunks': 1,
    });
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test('goes on when its finally yields', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* () {
        try {
          yield 1;
        } finally {
          yield 2;
        }
      });
      await stream.next();
      expect(await stream.return(undefined)).toEqual({ done: false, value: 2 });
      expect(recorder.named('gpt')).toHaveLength(0);
      await stream.next();
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(2);
  });

  test('that throws fails the step with the same error', async () => {
    const error = new Error('model overloaded');
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* () {
        yield 'a';
        throw error;
      });
      const read = async (): Promise<void> => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toBe(error);
    });
    expect(recorder.only('gpt').status.message).toBe('model overloaded');
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'failed',
      'conversation.step.chunks': 1,
    });
  });

  test('that is thrown into fails, or goes on where it catches', async () => {
    const error = new Error('stop');
    await conversation(async (c) => {
      const failing = c.step('gpt', words);
      await failing.next();
      await expect(failing.throw(error)).rejects.toBe(error);
      const going = c.step('tts', async function* () {
        try {
          yield 1;
        } catch {
          yield 2;
        }
      });
      await going.next();
      expect(await going.throw(error)).toEqual({ done: false, value: 2 });
      await going.next();
    });
    expect(outcomeOf('gpt')).toBe('failed');
    expect(outcomeOf('tts')).toBe('completed');
  });

  test('that is never read ends with its conversation, interrupted', async () => {
    await conversation(async (c) => void c.step('gpt', words));
    expect(recorder.spans().map((span) => span.name)).toEqual(['gpt', 'conversation']);
    expect(outcomeOf('gpt')).toBe('interrupted');
  });

  test('that is read after its conversation ended is warned of', async () => {
    const { answer } = await conversation(async (c) => ({ answer: c.step('gpt', words) }));
    for await (const _ of answer);
    expect(outcomeOf('gpt')).toBe('interrupted');
    expect(recorder.warnings).toEqual([
      expect.stringMatching(/the result of the step "gpt" is read after its conversation ended/),
    ]);
  });

  test('says what it is when the step was interrupted', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* (gpt) {
        yield 1;
        gpt.interrupted('barge-in');
      });
      for await (const _ of stream);
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'interrupted',
      'conversation.step.interruption.reason': 'barge-in',
    });
  });

  test('runs its code inside the step, and its consumer outside', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* (gpt) {
        for (let i = 0; i < 2; i += 1) {
          await sleep(1);
          yield step('tool', () => sleep(5));
          trace.getTracer('other').startSpan('http').end();
        }
        gpt.set({ 'app.done': true });
      });
      for await (const _ of stream) step('tts', () => 'spoken');
    });
    const gpt = recorder.only('gpt');
    expect(gpt.attributes['app.done']).toBe(true);
    const parents = (name: string): unknown[] => recorder.named(name).map((span) => span.parentSpanContext?.spanId);
    const gptId = gpt.spanContext().spanId;
    const rootId = recorder.only('conversation').spanContext().spanId;
    expect(parents('tool')).toEqual([gptId, gptId]);
    expect(parents('http')).toEqual([gptId, gptId]);
    expect(parents('tts')).toEqual([rootId, rootId]);
  });

  test('of objects that only look like those of a client is one like others', async () => {
    const streams: Record<string, object[]> = {
      events: [{ type: 'start' }, { type: 'audio', data: 'x' }],
      failures: [{ type: 'error', error: new Error('of a tool') }, { type: 'finish' }],
      speech: [{ type: 'speech.started' }, { type: 'speech.ended' }],
      response: [{ type: 'response.started' }, { type: 'response.done' }],
      pings: [{ type: 'ping' }, { type: 'message' }],
      parts: [{ object: 'part' }, { text: 'x' }],
    };
    for (const [name, chunks] of Object.entries(streams)) {
      await conversation(async (c) => {
        for await (const _ of c.step(name, async function* () {
          yield* chunks;
        }));
      });
      expect(recorder.attributesOf(name)).toMatchObject({ 'conversation.outcome': 'completed' });
      expect(recorder.attributesOf(name)).toHaveProperty(['conversation.step.time_to_first_output']);
      expect(recorder.attributesOf(name)).not.toHaveProperty(['gen_ai.provider.name']);
    }
  });

  test('marks its own first output', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', async function* (gpt) {
        gpt.firstOutput();
        stopwatch.start();
        await sleep(30);
        stopwatch.lap();
        yield 'a';
      });
      for await (const _ of stream);
    });
    const firstOutputMs = 1000 * (recorder.attributesOf('gpt')['conversation.step.time_to_first_output'] as number);
    expect(firstOutputMs).toBeLessThanOrEqual(msOf(recorder.only('gpt').duration) - stopwatch.workedMs);
  });

  test('ends at once with stream: false', async () => {
    await conversation(async (c) => {
      const stream = c.step('gpt', { stream: false }, words);
      expect(recorder.named('gpt')).toHaveLength(1);
      for await (const _ of stream);
    });
    expect(outcomeOf('gpt')).toBe('completed');
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.chunks']);
  });

  test('comes back from a promise, and from wrapStep', async () => {
    const speak = wrapStep('tts', async (count: number) =>
      (async function* () {
        for (let i = 0; i < count; i += 1) yield i;
      })(),
    );
    await conversation(async () => {
      const seen: number[] = [];
      for await (const chunk of await speak(3)) seen.push(chunk);
      expect(seen).toEqual([0, 1, 2]);
    });
    expect(recorder.attributesOf('tts')['conversation.step.chunks']).toBe(3);
  });
});

describe('an iterator of a class', () => {
  class Counter {
    #left: number;
    readonly #onReturn: () => void;

    constructor(left: number, onReturn: () => void = () => {}) {
      this.#left = left;
      this.#onReturn = onReturn;
    }

    async next(): Promise<IteratorResult<number, undefined>> {
      await sleep(5);
      return this.#left-- > 0 ? { done: false, value: this.#left } : { done: true, value: undefined };
    }

    async return(): Promise<IteratorResult<number, undefined>> {
      this.#onReturn();
      return { done: true, value: undefined };
    }

    [Symbol.asyncIterator](): this {
      return this;
    }

    left(): number {
      return this.#left;
    }
  }

  test('with private fields keeps them', async () => {
    const counter = new Counter(3);
    await conversation(async (c) => {
      const returned = c.step('gpt', () => counter);
      expect(returned).toBe(counter);
      const seen: number[] = [];
      for await (const chunk of returned) seen.push(chunk);
      expect(seen).toEqual([2, 1, 0]);
      expect(returned.left()).toBe(-1);
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(3);
  });

  test('left early is interrupted, and told so once', async () => {
    let returns = 0;
    await conversation(async (c) => {
      for await (const _ of c.step('gpt', () => new Counter(3, () => (returns += 1)))) break;
    });
    expect(returns).toBe(1);
    expect(outcomeOf('gpt')).toBe('interrupted');
  });

  test('without a return is interrupted too', async () => {
    await conversation(async (c) => {
      const bare = { next: async () => ({ done: false, value: 1 }), [Symbol.asyncIterator]: () => bare };
      for await (const _ of c.step('gpt', () => bare)) break;
    });
    expect(outcomeOf('gpt')).toBe('interrupted');
  });

  test('made anew for each reader is followed once', async () => {
    class Chunks {
      async *[Symbol.asyncIterator](): AsyncGenerator<string> {
        yield 'a';
        yield 'b';
      }
    }
    const chunks = new Chunks();
    await conversation(async (c) => {
      const returned = c.step('gpt', () => chunks);
      expect(returned).toBe(chunks);
      for await (const _ of returned);
      const again: string[] = [];
      for await (const chunk of returned) again.push(chunk);
      expect(again).toEqual(['a', 'b']);
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(2);
  });

  test('of a database cursor, whose next gives rows, ends with the last one', async () => {
    const cursor = (rows: string[]) => ({
      next: async () => rows.shift() ?? null,
      async *[Symbol.asyncIterator]() {
        while (rows.length > 0) yield rows.shift()!;
      },
    });
    await conversation(async (c) => {
      const byHand = c.step('memory', () => cursor(['a', 'b']));
      while ((await byHand.next()) !== null);
      for await (const _ of c.step('search', () => cursor(['a', 'b', 'c'])));
    });
    expect(recorder.attributesOf('memory')).toMatchObject({ 'conversation.step.chunks': 2 });
    expect(recorder.attributesOf('search')).toMatchObject({ 'conversation.step.chunks': 3 });
  });

  test('of a database cursor that is closed before its last row is interrupted', async () => {
    await conversation(async (c) => {
      const rows = ['a', 'b'];
      const cursor = {
        next: async () => rows.shift() ?? null,
        close: async () => 'closed',
        async *[Symbol.asyncIterator]() {
          yield* rows;
        },
      };
      const returned = c.step('memory', () => cursor);
      await returned.next();
      expect(await returned.close()).toBe('closed');
    });
    expect(outcomeOf('memory')).toBe('interrupted');
  });

  test('that is frozen comes back untouched, and its span ends', async () => {
    const frozen = Object.freeze(words());
    await conversation(async (c) => {
      const returned = c.step('gpt', () => frozen);
      expect(returned).toBe(frozen);
      expect(recorder.named('gpt')).toHaveLength(1);
      const seen: string[] = [];
      for await (const word of returned) seen.push(word);
      expect(seen).toEqual(['ab', 'cde']);
    });
  });
});

describe('a sync generator', () => {
  function* count(): Generator<number, string> {
    yield 1;
    step('tool', () => 2);
    yield 3;
    return 'end';
  }

  test('lasts until it was read, its code inside the step', () => {
    conversation((c) => {
      const generator = c.step('plan', count);
      expect(generator.next()).toEqual({ done: false, value: 1 });
      expect(recorder.named('plan')).toHaveLength(0);
      expect([...generator]).toEqual([3]);
    });
    expect(recorder.attributesOf('plan')['conversation.step.chunks']).toBe(2);
    expect(recorder.only('tool').parentSpanContext?.spanId).toBe(recorder.only('plan').spanContext().spanId);
  });

  test('left early is interrupted; never read, too', () => {
    conversation((c) => {
      for (const _ of c.step('plan', count)) break;
      c.step('unread', count);
    });
    expect(outcomeOf('plan')).toBe('interrupted');
    expect(outcomeOf('unread')).toBe('interrupted');
  });

  test('that throws fails the step', () => {
    const error = new Error('no plan');
    conversation((c) => {
      const generator = c.step('plan', function* () {
        yield 1;
        throw error;
      });
      expect(() => [...generator]).toThrow(error);
    });
    expect(outcomeOf('plan')).toBe('failed');
  });

  test('arrays, maps and their iterators are values', () => {
    conversation((c) => {
      const values = [
        [1],
        new Map([[1, 2]]),
        new Set([1]),
        [1].values(),
        new Map([[1, 2]]).entries(),
        'abc'.matchAll(/b/g),
      ];
      for (const value of values) expect(c.step('request', () => value)).toBe(value);
    });
    for (const span of recorder.named('request')) {
      expect(span.attributes['conversation.outcome']).toBe('completed');
      expect(span.attributes).not.toHaveProperty(['conversation.step.chunks']);
    }
  });
});

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, startConversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

async function* words(): AsyncGenerator<string> {
  for (const word of ['ab', 'cd']) {
    await sleep(10);
    yield word;
  }
}

const outcome = (): unknown => recorder.attributesOf('gpt')['conversation.outcome'];

describe('until', () => {
  test('names a stream in an object, which stays the same', async () => {
    await conversation(async (c) => {
      const answer = { id: 7, textStream: words(), audio: Readable.from(['x']) };
      const returned = c.step('gpt', { until: (result) => result.textStream }, () => answer);
      expect(returned).toBe(answer);
      expect(recorder.named('gpt')).toHaveLength(0);
      for await (const _ of returned.textStream);
      expect(recorder.named('gpt')).toHaveLength(1);
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 2,
      'conversation.output.chars': 4,
    });
  });

  test('is asked of what a promise resolves with', async () => {
    await conversation(async (c) => {
      const returned = await c.step(
        'gpt',
        { until: (result: { words: AsyncIterable<string> }) => result.words },
        async () => {
          await sleep(5);
          return { words: words() };
        },
      );
      for await (const _ of returned.words);
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(2);
  });

  test('names a promise or a plain web stream, whose equivalent takes its place', async () => {
    await conversation(async (c) => {
      const withPromise = c.step('gpt', { until: (result: { done: Promise<string> }) => result.done }, () => ({
        done: (async () => {
          stopwatch.start();
          await sleep(30);
          stopwatch.lap();
          return 'done';
        })(),
      }));
      expect(await withPromise.done).toBe('done');
      expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(stopwatch.workedMs);
      recorder.forget();
      const original = ReadableStream.from(['a', 'b', 'c']);
      const withStream = c.step('gpt', { until: (result: { body: ReadableStream }) => result.body }, () => ({
        body: original,
      }));
      expect(withStream.body).toBeInstanceOf(ReadableStream);
      for await (const _ of withStream.body);
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(3);
  });

  test('takes a promise that it makes, or a stream from a method', async () => {
    await conversation(async (c) => {
      c.step('gpt', { until: (result: { a: unknown; b: unknown }) => Promise.all([result.a, result.b]) }, () => ({
        a: sleep(10),
        b: sleep(30),
      }));
      await waitUntil(() => recorder.named('gpt').length === 1, 'the span of a promise that until made');
      recorder.forget();
      const kept = words();
      const returned = c.step('gpt', { until: (result: { stream: () => unknown }) => result.stream() }, () => ({
        stream: () => kept,
      }));
      for await (const _ of returned.stream());
    });
    expect(outcome()).toBe('completed');
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(2);
  });

  test('calls no getter that the program does not', async () => {
    class Result {
      reads = 0;
      readonly #base = 'ab';

      get textStream(): AsyncIterable<string> {
        this.reads += 1;
        const base = this.#base;
        return (async function* () {
          yield* base;
        })();
      }
    }
    await conversation(async (c) => {
      const result = c.step('gpt', { until: (given: Result) => given.textStream }, () => new Result());
      await sleep(5);
      expect(result.reads).toBe(0);
      for await (const _ of result.textStream);
      expect(result.reads).toBe(1);
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 2,
    });
  });

  test('of a stream that is never read is interrupted', async () => {
    await conversation(
      async (c) =>
        void c.step('gpt', { until: (result: { words: unknown }) => result.words }, () => ({ words: words() })),
    );
    expect(outcome()).toBe('interrupted');
  });

  test.each<[string, (result: unknown) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mistake');
      },
    ],
    ['names nothing', () => undefined],
    ['names a value', () => 3],
  ])('that %s ends the step at once', (_what, until) => {
    const c = startConversation();
    const answer = {};
    expect(c.step('gpt', { until }, () => answer)).toBe(answer);
    expect(recorder.named('gpt')).toHaveLength(1);
    c.end();
  });

  test('on an object that is frozen still follows the stream in it', async () => {
    await conversation(async (c) => {
      const answer = Object.freeze({ words: words() });
      const returned = c.step('gpt', { until: (result: typeof answer) => result.words }, () => answer);
      for await (const _ of returned.words);
    });
    expect(recorder.attributesOf('gpt')['conversation.step.chunks']).toBe(2);
  });
});

describe('what the callback of a conversation returns', () => {
  test('is waited for: a generator, whose code runs inside the conversation', async () => {
    const answer = conversation({ conversationId: 'c-1' }, async function* (c) {
      yield* c.step('gpt', words);
      yield step('tts', () => 'spoken');
    });
    expect(recorder.spans()).toHaveLength(0);
    const seen: string[] = [];
    for await (const word of answer) seen.push(word);
    expect(seen).toEqual(['ab', 'cd', 'spoken']);
    expect(recorder.spans().map((span) => span.name)).toEqual(['gpt', 'tts', 'conversation']);
    const root = recorder.only('conversation');
    expect(recorder.only('gpt').parentSpanContext?.spanId).toBe(root.spanContext().spanId);
    expect(root.attributes).toMatchObject({ 'conversation.outcome': 'completed', 'conversation.id': 'c-1' });
  });

  test('is waited for: the stream of a step, read by somebody else', async () => {
    const stream = await conversation(async (c) => c.step('gpt', async () => words()));
    await sleep(20);
    expect(recorder.spans()).toHaveLength(0);
    for await (const _ of stream);
    expect(recorder.spans().map((span) => span.name)).toEqual(['gpt', 'conversation']);
  });

  test('left early makes the conversation interrupted, failing failed', async () => {
    for await (const _ of conversation((c) => c.step('gpt', words))) break;
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('interrupted');
    recorder.forget();
    const failing = conversation(async function* () {
      yield 1;
      throw new Error('mistake');
    });
    await expect(drain(failing)).rejects.toThrow('mistake');
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('failed');
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { createOpenAI } from '@ai-sdk/openai';
import type { StepOptions } from '@convotel/tracing';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { request } from 'undici';

/** What happens to a result. `timed out`: it hangs after its first chunk; `hung`: it never gives anything. */
export type Condition = 'complete' | 'error' | 'left' | 'aborted' | 'timed out' | 'unread' | 'hung';

/** One row of the table. */
export interface KindOfResult {
  name: string;
  isStream: boolean;
  conditions: readonly Condition[];
  /** Where the outcome of a condition is another one than for most. */
  expected?: Partial<Record<Condition, string>>;
  options?: StepOptions;
  /** What the step's function returns. */
  make(condition: Condition, signal: AbortSignal): unknown;
  /** What the program does with it; `seen` is called with each chunk and says whether to leave. */
  consume(result: unknown, seen: () => boolean): Promise<unknown>;
  /** What a program does that is not interested in it. */
  skip(result: unknown): Promise<unknown>;
}

const STREAM: readonly Condition[] = ['complete', 'error', 'left', 'aborted', 'unread', 'timed out', 'hung'];
const WHOLE: readonly Condition[] = ['complete', 'error', 'aborted', 'hung'];
const LAZY: readonly Condition[] = [...WHOLE, 'unread'];

export function kindsOfResults(url: string): KindOfResult[] {
  return [...ownKinds(), ...httpKinds(url), ...clientKinds(url)];
}

const GAP_MS = 40;

/** Three words, 40 ms apart, as the program itself would make them. */
async function* words(condition: Condition, signal: AbortSignal): AsyncGenerator<string> {
  for (let index = 0; index < 3; index += 1) {
    if (condition === 'hung' || (condition === 'timed out' && index === 1)) await new Promise(() => {});
    await sleep(GAP_MS, undefined, { signal });
    if (condition === 'error' && index === 2) throw new Error('overloaded');
    yield 'word ';
  }
  await sleep(GAP_MS);
}

async function whole(condition: Condition, signal: AbortSignal): Promise<string> {
  if (condition === 'hung') await new Promise(() => {});
  await sleep(3 * GAP_MS, undefined, { signal });
  if (condition === 'error') throw new Error('overloaded');
  return 'words';
}

class Task<Value> extends Promise<Value> {}

class Query {
  readonly #condition: Condition;
  readonly #signal: AbortSignal;

  constructor(condition: Condition, signal: AbortSignal) {
    this.#condition = condition;
    this.#signal = signal;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
  then<First>(onValue: (rows: string) => First, onError: (error: unknown) => never): Promise<First> {
    return whole(this.#condition, this.#signal).then(onValue, onError);
  }
}

class Words implements AsyncIterator<string> {
  readonly #words: AsyncGenerator<string>;

  constructor(made: AsyncGenerator<string>) {
    this.#words = made;
  }

  next(): Promise<IteratorResult<string>> {
    return this.#words.next();
  }

  async return(): Promise<IteratorResult<string>> {
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function byteStream(made: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const { done, value } = await made.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  }) as ReadableStream<Uint8Array>;
}

async function iterate(result: unknown, seen: () => boolean): Promise<void> {
  for await (const _ of (await result) as AsyncIterable<unknown>) if (seen()) break;
}

const nothing = async (): Promise<void> => {};

function stream(name: string, make: KindOfResult['make'], more: Partial<KindOfResult> = {}): KindOfResult {
  const skip = async (result: unknown): Promise<void> => void (await result);
  return { name, isStream: true, conditions: STREAM, make, consume: iterate, skip, ...more };
}

function value(name: string, make: KindOfResult['make'], more: Partial<KindOfResult> = {}): KindOfResult {
  return { name, isStream: false, conditions: WHOLE, make, consume: async (result) => result, skip: nothing, ...more };
}

function ownKinds(): KindOfResult[] {
  const textStream = (result: unknown): AsyncIterable<string> =>
    (result as { textStream: AsyncIterable<string> }).textStream;
  return [
    value('promise', whole),
    value(
      'subclass of Promise',
      (...given) => new Task((resolve, reject) => void whole(...given).then(resolve, reject)),
    ),
    value('query builder', (...given) => new Query(...given), { conditions: LAZY }),
    stream('async generator', words),
    stream('iterator of a class', (...given) => new Words(words(...given))),
    stream('web stream', (...given) => ReadableStream.from(words(...given))),
    stream('byte stream', (...given) => byteStream(words(...given))),
    stream('Node stream', (...given) => Readable.from(words(...given))),
    stream('object with a stream (until)', (...given) => ({ textStream: words(...given) }), {
      options: { until: textStream },
      consume: (result, seen) => iterate(textStream(result), seen),
    }),
  ];
}

/** The model server is told by a header, or by the model's name, what to do; it knows no time-outs in the middle. */
const behaviourFor = (condition: Condition, ofError: 'breaks' | 'fails'): string =>
  condition === 'error' ? ofError : condition === 'hung' || condition === 'timed out' ? 'hangs' : 'completes';

function httpKinds(url: string): KindOfResult[] {
  const ask = (condition: Condition, signal: AbortSignal): Promise<Response> =>
    fetch(`${url}/text`, { signal, headers: { 'x-behaviour': behaviourFor(condition, 'breaks') } });
  // Of a response that nobody reads, the head was the result.
  const expected = { unread: 'completed' };
  return [
    value('Response of fetch, text()', ask, {
      conditions: [...WHOLE, 'unread'],
      consume: async (result) => ((await result) as Response).text(),
      skip: async (result) => void (await result),
      expected,
    }),
    stream('Response of fetch, its body', ask, {
      consume: async (result, seen) => iterate(((await result) as Response).body, seen),
      expected,
    }),
    stream(
      'undici request, its body',
      (condition, signal) =>
        request(`${url}/text`, { signal, headers: { 'x-behaviour': behaviourFor(condition, 'breaks') } }),
      { consume: async (result, seen) => iterate(((await result) as { body: Readable }).body, seen), expected },
    ),
  ];
}

function clientKinds(url: string): KindOfResult[] {
  const settings = { apiKey: 'key', baseURL: `${url}/v1`, maxRetries: 0 };
  const openai = new OpenAI(settings);
  const anthropic = new Anthropic({ ...settings, baseURL: url });
  const { chat } = createOpenAI(settings);
  const messages = [{ role: 'user' as const, content: 'hello' }];
  const model = (condition: Condition): string => behaviourFor(condition, 'breaks');
  const wholeModel = (condition: Condition): string => behaviourFor(condition, 'fails');
  type StreamText = ReturnType<typeof streamText>;
  type Helper = ReturnType<typeof anthropic.messages.stream>;
  return [
    value(
      'openai chat completion',
      (condition, signal) => openai.chat.completions.create({ model: wholeModel(condition), messages }, { signal }),
      { conditions: LAZY },
    ),
    value(
      'openai chat completion, by .catch()',
      (condition, signal) => openai.chat.completions.create({ model: wholeModel(condition), messages }, { signal }),
      { conditions: LAZY, consume: (result) => (result as Promise<unknown>).catch(() => {}) },
    ),
    stream(
      'openai chat completion, streamed',
      (condition, signal) =>
        openai.chat.completions.create({ model: model(condition), messages, stream: true }, { signal }),
      { consume: (result, seen) => iterateWords(result, seen, (chunk) => hasText(chunk, 'chat')) },
    ),
    stream(
      'openai response, streamed',
      (condition, signal) =>
        openai.responses.create({ model: model(condition), input: 'hello', stream: true }, { signal }),
      { consume: (result, seen) => iterateWords(result, seen, (chunk) => hasText(chunk, 'response')) },
    ),
    stream(
      'openai speech, its body',
      (condition, signal) =>
        openai.audio.speech.create({ model: model(condition), voice: 'alloy', input: 'hello' }, { signal }),
      {
        consume: async (result, seen) => iterate(((await result) as Response).body, seen),
        expected: { unread: 'completed' },
      },
    ),
    value(
      'anthropic message',
      (condition, signal) =>
        anthropic.messages.create({ model: wholeModel(condition), max_tokens: 9, messages }, { signal }),
      { conditions: LAZY },
    ),
    stream(
      'anthropic message, streamed',
      (condition, signal) =>
        anthropic.messages.create({ model: model(condition), max_tokens: 9, messages, stream: true }, { signal }),
      { consume: (result, seen) => iterateWords(result, seen, (chunk) => hasText(chunk, 'anthropic')) },
    ),
    stream(
      'anthropic stream helper',
      (condition, signal) =>
        anthropic.messages.stream({ model: model(condition), max_tokens: 9, messages }, { signal }),
      {
        // It goes on by itself, read or not.
        expected: { unread: 'completed' },
        skip: (result) => (result as Helper).done(),
        consume: (result, seen) => iterateWords(result, seen, (chunk) => hasText(chunk, 'anthropic')),
      },
    ),
    value('ai generateText', (condition, abortSignal) =>
      generateText({ model: chat(wholeModel(condition)), prompt: 'hello', maxRetries: 0, abortSignal }),
    ),
    stream(
      'ai streamText, textStream',
      (condition, abortSignal) =>
        streamText({ model: chat(model(condition)), prompt: 'hello', maxRetries: 0, abortSignal, onError() {} }),
      { consume: (result, seen) => iterate((result as StreamText).textStream, seen) },
    ),
  ];
}

/** Announcements before the first word are no output: the consumer counts words. */
async function iterateWords(result: unknown, seen: () => boolean, isWord: (chunk: never) => boolean): Promise<void> {
  for await (const chunk of (await result) as AsyncIterable<never>) if (isWord(chunk) && seen()) break;
}

function hasText(chunk: never, protocol: 'chat' | 'response' | 'anthropic'): boolean {
  const event = chunk as { type?: string; choices?: { delta: { content?: string | null } }[] };
  if (protocol === 'chat') return Boolean(event.choices?.[0]?.delta.content);
  return event.type === (protocol === 'response' ? 'response.output_text.delta' : 'content_block_delta');
}

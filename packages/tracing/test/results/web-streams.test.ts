import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const outcomeOf = (name: string): unknown => recorder.attributesOf(name)['conversation.outcome'];

/** What a source was asked to do, and how often. */
interface Source {
  pulls: number;
  isCancelled: boolean;
  cancelledWith: unknown;
  stream: ReadableStream<string>;
}

function words(count = 3, { failsWith, gapMs = 10 }: { failsWith?: Error; gapMs?: number } = {}): Source {
  const source: Source = { pulls: 0, isCancelled: false, cancelledWith: undefined, stream: undefined as never };
  source.stream = new ReadableStream<string>(
    {
      async pull(controller) {
        if (source.pulls === 0) stopwatch.start();
        source.pulls += 1;
        await sleep(gapMs);
        stopwatch.lap();
        if (source.pulls <= count) controller.enqueue(`w${source.pulls}`);
        else if (failsWith !== undefined) controller.error(failsWith);
        else controller.close();
      },
      cancel(reason) {
        source.isCancelled = true;
        source.cancelledWith = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return source;
}

async function readAll<Chunk>(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const reader = stream.getReader();
  const chunks: Chunk[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}

async function iterate<Chunk>(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk as Chunk);
  return chunks;
}

// Node's own errors are of another realm than the test's.
const TYPE_ERROR = { name: 'TypeError' };
const ALL = ['w1', 'w2', 'w3'];

describe('a web stream', () => {
  const doors: Record<string, (stream: ReadableStream<string>) => Promise<unknown>> = {
    getReader: readAll,
    'for await': iterate,
    values: (stream) => iterate(stream.values() as unknown as ReadableStream<string>),
    'all reads at once': async (stream) => {
      const reader = stream.getReader();
      const reads = await Promise.all([reader.read(), reader.read(), reader.read(), reader.read(), reader.read()]);
      expect(reads.slice(3).map(({ done }) => done)).toEqual([true, true]);
      return reads.slice(0, 3).map(({ value }) => value);
    },
    'two readers in turn': async (stream) => {
      const first = stream.getReader();
      const chunk = await first.read();
      first.releaseLock();
      return [chunk.value, ...(await readAll(stream))];
    },
    'a reader, then tee': async (stream) => {
      const first = stream.getReader();
      const chunks = [(await first.read()).value, (await first.read()).value];
      first.releaseLock();
      const [left, right] = stream.tee();
      const [rest] = await Promise.all([readAll(left), readAll(right)]);
      return [...chunks, ...rest];
    },
    tee: async (stream) => {
      const [left, right] = stream.tee();
      const [first, second] = await Promise.all([readAll(left), iterate(right)]);
      expect(second).toEqual(first);
      return first;
    },
    pipeTo: async (stream) => {
      const chunks: string[] = [];
      await stream.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
      return chunks;
    },
    pipeThrough: (stream) => readAll(stream.pipeThrough(new TransformStream<string, string>())),
    'Readable.fromWeb': (stream) => Readable.fromWeb(stream as never, { objectMode: true }).toArray(),
    'new Response': async (stream) => {
      const text = await new Response(stream.pipeThrough(new TextEncoderStream())).text();
      return text.match(/w\d/g);
    },
    structuredClone: async (stream) => readAll(structuredClone(stream, { transfer: [stream] })),
  };

  test.each(Object.entries(doors))('read by %s is followed to its end', async (_door, use) => {
    await conversation(async (c) => {
      const { stream } = words();
      const returned = c.step('tts', () => stream);
      expect(returned).toBeInstanceOf(ReadableStream);
      expect(await use(returned)).toEqual(ALL);
    });
    await waitUntil(() => recorder.named('tts').length === 1, 'the span of a stream that was read');
    const { attributes, duration } = recorder.only('tts');
    expect(attributes).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 3,
      'conversation.output.chars': 6,
    });
    expect(msOf(duration)).toBeGreaterThanOrEqual(stopwatch.workedMs);
    expect(attributes['conversation.step.time_to_first_output']).toBeLessThan(msOf(duration) / 1000);
  });

  const failing = ['getReader', 'for await', 'tee', 'pipeTo', 'pipeThrough', 'all reads at once'];
  test.each(failing)('that fails in the middle, read by %s, fails the step with the same error', async (door) => {
    const error = new Error('socket hang up');
    await conversation(async (c) => {
      const returned = c.step('tts', () => words(2, { failsWith: error }).stream);
      await expect(doors[door]!(returned)).rejects.toBe(error);
    });
    expect(recorder.attributesOf('tts')).toMatchObject({
      'conversation.outcome': 'failed',
      'conversation.step.chunks': 2,
    });
  });

  const leaving: Record<string, (stream: ReadableStream<string>) => Promise<unknown>> = {
    'a reader that cancels': async (stream) => {
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel('enough');
    },
    break: async (stream) => {
      for await (const _ of stream) break;
    },
    'cancel of the stream': (stream) => stream.cancel('enough'),
    'both branches': async (stream) => {
      const [left, right] = stream.tee();
      const reader = left.getReader();
      await reader.read();
      await Promise.all([reader.cancel('enough'), right.cancel('enough')]);
    },
    'a pipe into what closes': async (stream) => {
      const aborted = new AbortController();
      const pipe = stream.pipeTo(new WritableStream({ write: () => aborted.abort('enough') }), {
        signal: aborted.signal,
      });
      await pipe.catch(() => {});
    },
  };

  test.each(Object.entries(leaving))(
    'left early by %s is interrupted, and its source is told why',
    async (_how, use) => {
      const source = words();
      await conversation(async (c) => void (await use(c.step('tts', () => source.stream))));
      expect(outcomeOf('tts')).toBe('interrupted');
      expect(source.pulls).toBeLessThanOrEqual(2);
      expect(source.isCancelled).toBe(true);
      if (_how !== 'break') expect(String(source.cancelledWith)).toContain('enough');
    },
  );

  test('pulls no chunk before it is read, and none ahead', async () => {
    const source = words();
    await conversation(async (c) => {
      const stream = c.step('tts', () => source.stream);
      await sleep(10);
      expect(source.pulls).toBe(0);
      expect(source.stream.locked).toBe(false);
      const reader = stream.getReader();
      await sleep(10);
      expect(source.pulls).toBe(0);
      for (const expected of [1, 2, 3]) {
        await reader.read();
        await sleep(20);
        expect(source.pulls).toBe(expected);
      }
      await reader.cancel();
    });
  });

  test('that is never read ends with its conversation, interrupted', async () => {
    const source = words();
    await conversation(async (c) => void c.step('tts', () => source.stream));
    expect(outcomeOf('tts')).toBe('interrupted');
    expect(source.pulls).toBe(0);
  });

  // A stream that is transferred is read without any call of its methods.
  test.each(Object.entries(doors).filter(([door]) => door !== 'structuredClone'))(
    'whose reading by %s begins in a conversation that ends, keeps it open',
    async (_door, use) => {
      let reading!: Promise<unknown>;
      conversation((c) => void (reading = use(c.step('gpt', () => words().stream))));
      await reading;
      await waitUntil(() => recorder.named('conversation').length > 0, 'the end of the conversation');
      expect(recorder.attributesOf('gpt')).toMatchObject({
        'conversation.outcome': 'completed',
        'conversation.step.chunks': 3,
      });
      expect(outcomeOf('conversation')).toBe('completed');
    },
  );

  test('is locked, released and closed as it was', async () => {
    await conversation(async (c) => {
      const stream = c.step('tts', () => words().stream);
      const reader = stream.getReader();
      expect(stream.locked).toBe(true);
      expect(() => stream.getReader()).toThrow('locked');
      await expect(stream.cancel()).rejects.toMatchObject(TYPE_ERROR);
      const closed = reader.closed;
      while (!(await reader.read()).done);
      await expect(closed).resolves.toBeUndefined();
      reader.releaseLock();
      expect(stream.locked).toBe(false);
      await expect(reader.read()).rejects.toMatchObject(TYPE_ERROR);
      expect(await readAll(stream)).toEqual([]);
    });
  });

  test('that fails between two reads tells its reader at once', async () => {
    const error = new Error('gone');
    let controller!: ReadableStreamDefaultController<string>;
    await conversation(async (c) => {
      const stream = c.step('tts', () => new ReadableStream<string>({ start: (given) => void (controller = given) }));
      const reader = stream.getReader();
      controller.enqueue('a');
      await reader.read();
      controller.error(error);
      await expect(reader.closed).rejects.toBe(error);
      await expect(reader.read()).rejects.toBe(error);
    });
    expect(outcomeOf('tts')).toBe('failed');
  });

  test('that is locked already comes back as it is', async () => {
    const { stream } = words();
    stream.getReader();
    conversation((c) => expect(c.step('tts', () => stream)).toBe(stream));
    expect(outcomeOf('tts')).toBe('completed');
  });

  test('fills inside the step, whoever reads it', async () => {
    await conversation(async (c) => {
      let pulls = 0;
      const stream = c.step(
        'tts',
        () =>
          new ReadableStream<number>(
            {
              pull(controller) {
                step('synthesize', () => 1);
                if ((pulls += 1) > 3) controller.close();
                else controller.enqueue(pulls);
              },
            },
            { highWaterMark: 0 },
          ),
      );
      for await (const _ of stream) step('response', () => 1);
    });
    const tts = recorder.only('tts').spanContext().spanId;
    const parentsOf = (name: string): unknown[] => recorder.named(name).map((span) => span.parentSpanContext?.spanId);
    expect(parentsOf('synthesize')).toEqual([tts, tts, tts, tts]);
    expect(parentsOf('response')).not.toContain(tts);
  });

  test('a subclass stays the same object, by all its doors', async () => {
    class Speech extends ReadableStream<string> {
      readonly voice = 'alloy';
    }
    let pulls = 0;
    const make = (): Speech =>
      new Speech(
        {
          pull(controller) {
            pulls += 1;
            if (pulls % 4 === 0) controller.close();
            else controller.enqueue(`w${pulls % 4}`);
          },
        },
        { highWaterMark: 0 },
      );
    for (const use of [readAll, iterate, doors['tee']!, doors['pipeTo']!, doors['pipeThrough']!]) {
      const speech = make();
      await conversation(async (c) => {
        const returned = c.step('tts', () => speech);
        expect(returned).toBe(speech);
        expect(returned.voice).toBe('alloy');
        expect(await use(returned)).toEqual(ALL);
      });
    }
    expect(recorder.named('tts').map((span) => span.attributes['conversation.step.chunks'])).toEqual([3, 3, 3, 3, 3]);
  });

  test('keeps what a library hung on it', async () => {
    const stream = Object.assign(words().stream, { usage: Promise.resolve(3) });
    Object.defineProperty(stream, Symbol.asyncIterator, {
      value: async function* (this: ReadableStream<string>) {
        for (const chunk of await readAll(this)) yield chunk.toUpperCase();
      },
    });
    await conversation(async (c) => {
      const returned = c.step('tts', () => stream);
      expect(await returned.usage).toBe(3);
      expect(await iterate(returned)).toEqual(['W1', 'W2', 'W3']);
    });
    expect(outcomeOf('tts')).toBe('completed');
  });

  test('returned by two steps and the callback ends all three', async () => {
    const returned = conversation((c) => c.step('answer', () => step('tts', () => words().stream)));
    expect(recorder.spans()).toHaveLength(0);
    expect(await readAll(returned)).toEqual(ALL);
    expect(['tts', 'answer', 'conversation'].map(outcomeOf)).toEqual(['completed', 'completed', 'completed']);
  });
});

describe('a byte stream', () => {
  function bytes(): { stream: ReadableStream<Uint8Array>; pulls: () => number } {
    let pulls = 0;
    const stream = new ReadableStream({
      type: 'bytes',
      async pull(controller) {
        await sleep(5);
        pulls += 1;
        const { byobRequest } = controller;
        const view = byobRequest?.view;
        if (pulls === 4) {
          controller.close();
          byobRequest?.respond(0);
        } else if (view) {
          const target = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
          target.fill(pulls, 0, 2);
          byobRequest!.respond(2);
        } else {
          controller.enqueue(new Uint8Array([pulls, pulls]));
        }
      },
    });
    return { stream: stream as ReadableStream<Uint8Array>, pulls: () => pulls };
  }

  async function readInto(stream: ReadableStream<Uint8Array>): Promise<number[]> {
    const reader = stream.getReader({ mode: 'byob' });
    const all: number[] = [];
    let buffer = new ArrayBuffer(16);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return all;
      expect(value.buffer.byteLength).toBe(16);
      all.push(...value);
      buffer = value.buffer as ArrayBuffer;
    }
  }

  const expected = [1, 1, 2, 2, 3, 3];

  test('stays one: its reader brings its own buffer', async () => {
    await conversation(async (c) => {
      const { stream, pulls } = bytes();
      const returned = c.step('tts', () => stream);
      await sleep(10);
      expect(pulls()).toBe(0);
      expect(await readInto(returned)).toEqual(expected);
    });
    expect(recorder.attributesOf('tts')).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 3,
    });
    expect(recorder.attributesOf('tts')).not.toHaveProperty(['conversation.output.chars']);
  });

  test('is read without a buffer, in turns with one, in branches and by pipe', async () => {
    const flat = async (stream: ReadableStream<Uint8Array>): Promise<number[]> =>
      (await readAll(stream)).flatMap((chunk) => [...chunk]);
    const uses: ((stream: ReadableStream<Uint8Array>) => Promise<number[]>)[] = [
      flat,
      async (stream) => (await iterate(stream)).flatMap((chunk) => [...chunk]),
      async (stream) => {
        const reader = stream.getReader();
        const { value } = await reader.read();
        reader.releaseLock();
        return [...value!, ...(await readInto(stream))];
      },
      async (stream) => {
        const reader = stream.getReader({ mode: 'byob' });
        const { value } = await reader.read(new Uint8Array(4));
        reader.releaseLock();
        return [...value!, ...(await flat(stream))];
      },
      async (stream) => {
        const [left, right] = stream.tee();
        const [first] = await Promise.all([flat(left), flat(right)]);
        return first;
      },
      async (stream) => [...new Uint8Array(await new Response(stream).arrayBuffer())],
    ];
    for (const use of uses) {
      recorder.forget();
      await conversation(async (c) => expect(await use(c.step('tts', () => bytes().stream))).toEqual(expected));
      expect(recorder.attributesOf('tts')).toMatchObject({ 'conversation.outcome': 'completed' });
    }
  });

  test('refuses what it refused', async () => {
    await conversation(async (c) => {
      const reader = c.step('tts', () => bytes().stream).getReader({ mode: 'byob' });
      await expect(reader.read(new Uint8Array(0))).rejects.toMatchObject(TYPE_ERROR);
      await expect(reader.read(undefined as never)).rejects.toMatchObject(TYPE_ERROR);
      await reader.cancel();
    });
    expect(outcomeOf('tts')).toBe('interrupted');
  });
});

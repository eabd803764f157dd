import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, startConversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const outcomeOf = (name: string): unknown => recorder.attributesOf(name)['conversation.outcome'];

function words(failsWith?: Error): Readable {
  return Readable.from(
    (async function* () {
      stopwatch.start();
      for (const word of ['ab', 'cd', 'ef']) {
        await sleep(10);
        yield word;
      }
      await sleep(10);
      stopwatch.lap();
      if (failsWith !== undefined) throw failsWith;
    })(),
  );
}

function sink(onWrite: () => void = () => {}): Writable {
  return new Writable({
    objectMode: true,
    write(_chunk, _encoding, done) {
      onWrite();
      done();
    },
  });
}

const doors: Record<string, (stream: Readable) => Promise<unknown>> = {
  'for await': async (stream) => {
    for await (const _ of stream);
  },
  data: async (stream) => {
    stream.on('data', () => {});
    await once(stream, 'end');
  },
  'readable and read': async (stream) => {
    stream.on('readable', () => {
      while (stream.read() !== null);
    });
    await once(stream, 'end');
  },
  pipe: async (stream) => void (await once(stream.pipe(sink()), 'finish')),
  pipeline: (stream) => pipeline(stream, new PassThrough({ objectMode: true }), sink()),
  resume: async (stream) => void (await once(stream.resume(), 'end')),
  toArray: (stream) => stream.toArray(),
  'Readable.toWeb': async (stream) => {
    for await (const _ of Readable.toWeb(stream));
  },
};

describe('a Node stream', () => {
  test.each(Object.entries(doors))('read by %s is the same object and is followed to its end', async (_door, use) => {
    const stream = words();
    const c = startConversation({ captureContent: true });
    const returned = c.step('tts', () => stream);
    expect(returned).toBe(stream);
    await use(returned);
    c.end();
    await waitUntil(() => recorder.named('tts').length === 1, 'the span of a stream that was read');
    const { attributes, duration } = recorder.only('tts');
    expect(attributes).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 3,
      'conversation.pii.output_text': 'abcdef',
    });
    expect(msOf(duration)).toBeGreaterThanOrEqual(stopwatch.workedMs);
    expect(attributes['conversation.step.time_to_first_output']).toBeLessThan(msOf(duration) / 1000);
  });

  test.each(['for await', 'pipeline', 'toArray'])('that fails after data, read by %s, fails the step', async (door) => {
    const error = new Error('socket hang up');
    await conversation(async (c) => {
      await expect(doors[door]!(c.step('tts', () => words(error)))).rejects.toThrow('socket hang up');
    });
    expect(recorder.attributesOf('tts')).toMatchObject({ 'conversation.outcome': 'failed' });
    expect(recorder.only('tts').status.message).toBe('socket hang up');
    expect(recorder.attributesOf('tts')['conversation.step.chunks']).toBe(3);
  });

  const leaving: Record<string, (stream: Readable) => Promise<unknown>> = {
    break: async (stream) => {
      for await (const _ of stream) break;
    },
    destroy: async (stream) => {
      stream.on('data', () => stream.destroy());
      await once(stream, 'close');
    },
    'destroy before anything': async (stream) => void (await once(stream.destroy(), 'close')),
    'a pipeline whose other end goes away': async (stream) => {
      const target = sink(() => target.destroy());
      await pipeline(stream, target).catch(() => {});
    },
    'a pipeline that is aborted': async (stream) => {
      const controller = new AbortController();
      await pipeline(
        stream,
        sink(() => controller.abort()),
        { signal: controller.signal },
      ).catch(() => {});
    },
  };

  test.each(Object.entries(leaving))('left early by %s is interrupted', async (_how, use) => {
    const stream = words();
    await conversation(async (c) => void (await use(c.step('tts', () => stream))));
    await waitUntil(() => recorder.named('tts').length === 1, 'the span of a stream that was left');
    expect(outcomeOf('tts')).toBe('interrupted');
    expect(stream.destroyed).toBe(true);
  });

  test.each(Object.entries(doors))(
    'whose reading by %s begins in a conversation that ends, keeps it open',
    async (_door, use) => {
      let reading!: Promise<unknown>;
      conversation((c) => void (reading = use(c.step('tts', () => words()))));
      await reading;
      await waitUntil(() => recorder.named('conversation').length > 0, 'the end of the conversation');
      expect(recorder.attributesOf('tts')).toMatchObject({
        'conversation.outcome': 'completed',
        'conversation.step.chunks': 3,
      });
      expect(outcomeOf('conversation')).toBe('completed');
    },
  );

  test('is not started by us, and gets no listener', async () => {
    let reads = 0;
    const stream = new Readable({
      read() {
        reads += 1;
      },
    });
    const events = stream.eventNames();
    await conversation(async (c) => {
      c.step('tts', () => stream);
      await sleep(5);
    });
    expect(reads).toBe(0);
    recorder.forget();
    // So a stream fills its own buffer, with nobody to read it.
    await conversation(async (c) => void c.step('tts', () => new Readable({ read() {} })).read(0));
    expect(stream.eventNames()).toEqual(events);
    expect(stream.readableFlowing).toBe(null);
    expect(outcomeOf('tts')).toBe('interrupted');
  });

  test('reads no further ahead than it did', async () => {
    const readsWith = async (wrap: (make: () => Readable) => Readable): Promise<number> => {
      let reads = 0;
      const stream = wrap(
        () =>
          new Readable({
            highWaterMark: 3,
            objectMode: true,
            read() {
              reads += 1;
              this.push(reads);
            },
          }),
      );
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      await sleep(5);
      await iterator.return?.();
      return reads;
    };
    const bare = await readsWith((make) => make());
    await conversation(async (c) => expect(await readsWith((make) => c.step('tts', make))).toBe(bare));
  });

  test('of several kinds: a transform, one that was over, one that is only written to', async () => {
    await conversation(async (c) => {
      const transform = c.step('tts', () => {
        const made = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
        made.end('audio');
        return made;
      });
      for await (const _ of transform);
      const over = Readable.from(['a']);
      await over.toArray();
      c.step('over', () => over);
      const broken = new Readable({ read() {} }).on('error', () => {});
      broken.destroy(new Error('broken'));
      await new Promise((resolve) => broken.on('close', resolve));
      c.step('broken', () => broken);
      c.step('written', () => sink());
    });
    expect(recorder.attributesOf('tts')).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 1,
    });
    expect(['over', 'broken', 'written'].map(outcomeOf)).toEqual(['completed', 'failed', 'completed']);
    expect(recorder.attributesOf('over')).not.toHaveProperty(['conversation.step.chunks']);
  });

  test('fills inside the step, and calls its listeners outside', async () => {
    await conversation(async (c) => {
      const stream = c.step('tts', () =>
        Readable.from(
          (async function* () {
            await sleep(2);
            yield step('synthesize', () => 'audio');
            yield step('synthesize', () => 'audio');
          })(),
        ),
      );
      stream.on('data', () => step('response', () => 1));
      await once(stream, 'end');
    });
    const tts = recorder.only('tts').spanContext().spanId;
    const parentsOf = (name: string): unknown[] => recorder.named(name).map((span) => span.parentSpanContext?.spanId);
    expect(parentsOf('synthesize')).toEqual([tts, tts]);
    expect(parentsOf('response')).toEqual([
      recorder.only('conversation').spanContext().spanId,
      recorder.only('conversation').spanContext().spanId,
    ]);
  });

  test('gives listeners the arguments that it gave', async () => {
    const stream = words();
    const heard: unknown[][] = [];
    await conversation(async (c) => {
      c.step('tts', () => stream);
      for (const event of ['data', 'end', 'close', 'own'])
        stream.on(event, (...given) => heard.push([event, ...given]));
      stream.emit('own', 1, 2);
      await once(stream, 'close');
    });
    expect(heard).toEqual([['own', 1, 2], ['data', 'ab'], ['data', 'cd'], ['data', 'ef'], ['end'], ['close']]);
  });

  test('an event emitter is a value', () => {
    const emitter = new EventEmitter();
    conversation((c) => expect(c.step('request', () => emitter)).toBe(emitter));
    expect(outcomeOf('request')).toBe('completed');
  });
});

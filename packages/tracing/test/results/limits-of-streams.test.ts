import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, joinConversation, startConversation, step, wrapStep } from '@convotel/tracing';
import type { Carrier } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const OUTCOME = 'conversation.outcome';

/** Two words, and then nothing any more, whoever asks. */
async function* wordsThatHang(): AsyncGenerator<string> {
  yield 'one ';
  yield 'two ';
  await new Promise(() => {});
}

async function* words(): AsyncGenerator<string> {
  for (const word of ['one ', 'two ']) yield step('tool', () => word);
}

type Chunks = AsyncIterable<string>;

const HANGING: readonly [kind: string, make: () => Chunks][] = [
  ['a generator', wordsThatHang],
  ['a web stream', () => ReadableStream.from(wordsThatHang()) as unknown as Chunks],
  ['a Node stream', () => Readable.from(wordsThatHang())],
  ['an iterable', () => ({ [Symbol.asyncIterator]: wordsThatHang })],
];

/** Reads until the stream hangs; `read` is called with each chunk. */
function readIn(chunks: Chunks, read: () => void = () => {}): void {
  const reading = async (): Promise<void> => {
    for await (const _ of chunks) read();
  };
  // A stream that is aborted may reject, which is no affair of these tests.
  reading().catch(() => {});
}

const ended = (name: string): Promise<void> =>
  waitUntil(() => recorder.spans().some((span) => span.name === name), `the end of ${name}`);

describe.each(HANGING)('%s that hangs while it is read', (_kind, make) => {
  const readSoFar = {
    'conversation.step.chunks': 2,
    'conversation.output.chars': 8,
    'conversation.pii.output_text': 'one two ',
    'conversation.step.time_to_first_output': expect.any(Number),
  };

  test('ends at timeoutMs as timed_out, with what was read', async () => {
    await conversation({ captureContent: true }, async (c) => {
      readIn(c.step('gpt', { timeoutMs: 200 }, make));
      await ended('gpt');
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({ ...readSoFar, [OUTCOME]: 'timed_out' });
    expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'timed_out' });
  });

  test('ends when its signal is aborted as interrupted, with the reason and what was read', async () => {
    const bargeIn = new AbortController();
    let count = 0;
    await conversation({ captureContent: true }, async (c) => {
      readIn(c.step('gpt', { signal: bargeIn.signal }, make), () => (count += 1));
      await waitUntil(() => count === 2, 'two words');
      bargeIn.abort('barge_in');
      await ended('gpt');
    });
    const interruption = { [OUTCOME]: 'interrupted', 'conversation.step.interruption.reason': 'barge_in' };
    expect(recorder.attributesOf('gpt')).toMatchObject({ ...readSoFar, ...interruption });
    expect(recorder.attributesOf('conversation')).toMatchObject(interruption);
  });

  test('ends with the time of the step around it', async () => {
    await conversation(async (c) => {
      void c.step('agent', { timeoutMs: 200 }, () => {
        readIn(step('gpt', make));
        return new Promise(() => {});
      });
      await ended('gpt');
    });
    expect(recorder.attributesOf('agent')).toMatchObject({ [OUTCOME]: 'timed_out' });
    expect(recorder.attributesOf('gpt')).toMatchObject({ [OUTCOME]: 'timed_out' });
  });

  test('ends after maxOpenMs as abandoned', async () => {
    await conversation(async (c) => {
      readIn(c.step('gpt', { maxOpenMs: 200 }, make));
      await ended('gpt');
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({ [OUTCOME]: 'abandoned', 'conversation.step.chunks': 2 });
  });

  test('which the callback returned, ends with the signal of the conversation', async () => {
    const hangUp = new AbortController();
    let count = 0;
    readIn(
      conversation({ signal: hangUp.signal }, (c) => c.step('gpt', make)),
      () => (count += 1),
    );
    await waitUntil(() => count === 2, 'two words');
    hangUp.abort('hung_up');
    await ended('conversation');
    expect(recorder.attributesOf('gpt')).toMatchObject({ [OUTCOME]: 'interrupted' });
    expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'interrupted' });
  });
});

test('a generator that hangs is left when its consumer says so, not when it answers', async () => {
  const chunks = conversation((c) => c.step('gpt', wordsThatHang));
  await chunks.next();
  await chunks.next();
  void chunks.next();
  void chunks.return(undefined);
  await ended('conversation');
  expect(recorder.attributesOf('gpt')).toMatchObject({ [OUTCOME]: 'interrupted', 'conversation.step.chunks': 2 });
  expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'interrupted' });
});

test('a stream that timed out and was left then makes its conversation timed_out', async () => {
  const chunks = conversation((c) => c.step('gpt', { timeoutMs: 50 }, wordsThatHang));
  await chunks.next();
  void chunks.next();
  await ended('gpt');
  void chunks.next();
  void chunks.return(undefined);
  await ended('conversation');
  expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'timed_out' });
});

test('a stream that is read to its end after an abort is completed: the program went on', async () => {
  const bargeIn = new AbortController();
  await conversation({ signal: bargeIn.signal }, async (c) => {
    bargeIn.abort('barge_in');
    for await (const _ of c.step('memory', words));
  });
  expect(recorder.attributesOf('memory')).toMatchObject({ [OUTCOME]: 'completed', 'conversation.step.chunks': 2 });
});

describe('what the callback returned and nobody reads', () => {
  test('a stream: the conversation is interrupted after maxOpenMs', async () => {
    conversation({ maxOpenMs: 50 }, (c) => c.step('gpt', words));
    await ended('conversation');
    expect(recorder.attributesOf('gpt')).toMatchObject({ [OUTCOME]: 'interrupted' });
    expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'interrupted' });
  });

  test('a Response: both are completed, and end with its head', async () => {
    conversation({ maxOpenMs: 1500 }, (c) => c.step('gpt', () => new Response('hello')));
    await ended('conversation');
    for (const name of ['gpt', 'conversation']) {
      const span = recorder.spans().find((each) => each.name === name)!;
      expect(span.attributes[OUTCOME]).toBe('completed');
      expect(span.duration[0]).toBe(0);
    }
  });
});

describe('every door to a step follows streams', () => {
  const read = async (chunks: Chunks): Promise<void> => {
    for await (const _ of chunks) await step('tts', () => sleep(1));
  };
  const DOORS: readonly [door: string, run: (carrier: Carrier) => Promise<void>][] = [
    ['step', (carrier) => joinConversation(carrier, (c) => read(c.step('gpt', words)))],
    ['wrapStep', (carrier) => joinConversation(carrier, () => read(wrapStep('gpt', words)()))],
    ['startStep().run', (carrier) => joinConversation(carrier, (c) => read(c.startStep('gpt').run(words)))],
    [
      'a handle',
      async (carrier) => {
        const joined = joinConversation(carrier);
        await joined.run(() => read(joined.step('gpt', words)));
        joined.end();
      },
    ],
    [
      'a returned stream',
      async (carrier) => {
        const chunks = joinConversation(carrier, (c) => c.step('gpt', words));
        await joinConversation(carrier, () => read(chunks));
      },
    ],
    [
      'until',
      (carrier) =>
        joinConversation(carrier, async (c) => {
          const until = (result: { chunks: Chunks }): Chunks => result.chunks;
          await read(c.startStep('gpt', { until }).run(() => ({ chunks: words() })).chunks);
        }),
    ],
  ];

  test.each(DOORS)('%s, in a conversation that was joined inside a step', async (_door, run) => {
    const call = startConversation();
    const agent = call.startStep('agent');
    await run(agent.carrier());
    agent.end();
    call.end();
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.step.depth': 1,
      'conversation.step.chunks': 2,
      [OUTCOME]: 'completed',
    });
    const depths = (name: string): unknown[] =>
      recorder.spans().flatMap((span) => (span.name === name ? [span.attributes['conversation.step.depth']] : []));
    expect(depths('tool')).toEqual([2, 2]);
    expect(depths('tts')).toEqual([1, 1]);
    expect(recorder.attributesOf('conversation')).toMatchObject({ [OUTCOME]: 'completed' });
  });
});

test('response latency ends with the first chunk of a step that answers, not with the last', async () => {
  let firstChunkMs: number | undefined;
  await conversation(async (c) => {
    const inputEndMs = performance.now();
    c.inputEnded();
    for await (const _ of c.step('tts', words)) {
      firstChunkMs ??= performance.now() - inputEndMs;
      await sleep(60);
    }
  });
  const latency = recorder.attributesOf('tts')['conversation.response_latency'] as number;
  expect(latency).toBeGreaterThan(0);
  expect(latency).toBeLessThanOrEqual((firstChunkMs! + 3) / 1000);
});

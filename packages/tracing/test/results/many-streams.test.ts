import { setImmediate as turn } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { conversation, step } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const CONVERSATIONS = 200;

/** One kind of stream, that runs a nested step for each of its chunks. */
const KINDS: readonly ((words: number) => AsyncIterable<string>)[] = [
  (words) => produce(words),
  (words) => ReadableStream.from(produce(words)) as unknown as AsyncIterable<string>,
  (words) => Readable.from(produce(words)),
  (words) => ({ [Symbol.asyncIterator]: () => produce(words) }),
];

async function* produce(words: number): AsyncGenerator<string> {
  for (let index = 0; index < words; index += 1) {
    await turn();
    yield step('tool', () => `w${index}`);
  }
}

test('conversations at once, with interleaved streams of all kinds, nest every step where it belongs', async () => {
  const run = (index: number): Promise<void> =>
    conversation({ conversationId: `c-${index}` }, async (c) => {
      const stream = await c.step('gpt', async () => KINDS[index % KINDS.length]!(1 + (index % 5)));
      for await (const _ of stream) {
        await turn();
        await step('tts', async () => turn());
      }
    });
  await Promise.all(Array.from({ length: CONVERSATIONS }, (_, index) => run(index)));

  const byId = new Map(recorder.spans().map((span) => [span.spanContext().spanId, span]));
  let checked = 0;
  for (const span of recorder.spans()) {
    const parent = byId.get(span.parentSpanContext?.spanId ?? '');
    const expectedParent = { conversation: undefined, gpt: 'conversation', tts: 'conversation', tool: 'gpt' }[
      span.name
    ];
    expect(parent?.name).toBe(expectedParent);
    expect(parent?.attributes['conversation.id'] ?? span.attributes['conversation.id']).toBe(
      span.attributes['conversation.id'],
    );
    checked += 1;
  }
  const chunks = Array.from({ length: CONVERSATIONS }, (_, index) => 1 + (index % 5)).reduce((sum, each) => sum + each);
  expect(checked).toBe(CONVERSATIONS * 2 + chunks * 2);
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, startConversation } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());

const failing = async (c: Conversation, name: string, message = 'busy', attempt = 1): Promise<void> => {
  await c.step(name, { attempt }, async () => Promise.reject(new Error(message))).catch(() => {});
};
const completing = async (c: Conversation, name: string, attempt = 1): Promise<void> =>
  c.step(name, { attempt }, async () => {});
const interrupting = async (c: Conversation, name: string): Promise<void> =>
  c.step(name, async (step) => step.interrupted('barge-in'));

type Pipeline = (c: Conversation) => Promise<void>;

const pipelines: readonly [name: string, outcome: string, message: string | undefined, Pipeline][] = [
  ['no step', 'completed', undefined, async () => {}],
  ['a failure that nothing follows', 'failed', 'busy', async (c) => failing(c, 'gpt')],
  [
    'a fallback that worked',
    'completed',
    undefined,
    async (c) => {
      await failing(c, 'gpt');
      await completing(c, 'gpt-fallback');
    },
  ],
  [
    'a fallback that failed too',
    'failed',
    'busy',
    async (c) => {
      await failing(c, 'gpt');
      await failing(c, 'gpt-fallback', 'down');
    },
  ],
  [
    'a retry that worked',
    'completed',
    undefined,
    async (c) => {
      await failing(c, 'gpt');
      await completing(c, 'gpt', 2);
    },
  ],
  [
    'a retry that failed, with its own error',
    'failed',
    'second',
    async (c) => {
      await failing(c, 'gpt', 'first');
      await failing(c, 'gpt', 'second', 2);
    },
  ],
  [
    'a retry that was interrupted',
    'interrupted',
    undefined,
    async (c) => {
      await failing(c, 'gpt');
      await c.step('gpt', { attempt: 2 }, async (step) => step.interrupted());
    },
  ],
  [
    'a failure beside a step that was completed later, but began before it failed',
    'failed',
    'busy',
    async (c) => {
      const long = withResolvers();
      const speaking = c.step('tts', () => long.promise);
      await failing(c, 'log');
      long.resolve();
      await speaking;
    },
  ],
  [
    'a barge-in at the end',
    'interrupted',
    undefined,
    async (c) => {
      await completing(c, 'gpt');
      await interrupting(c, 'tts');
    },
  ],
  [
    'a barge-in that the program went on after',
    'completed',
    undefined,
    async (c) => {
      await interrupting(c, 'tts');
      await completing(c, 'gpt');
    },
  ],
  [
    'a failure inside a step that handled it',
    'completed',
    undefined,
    async (c) => c.step('agent', async () => failing(c, 'tool')),
  ],
];

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe.each(pipelines)('%s: %s', (_name, outcome, message, pipeline) => {
  test('as a function', async () => {
    await conversation(pipeline);
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe(outcome);
    expect(recorder.only('conversation').status.message).toBe(message);
  });

  test('as a handle', async () => {
    const c = startConversation();
    await c.run(pipeline);
    c.end();
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe(outcome);
    expect(recorder.only('conversation').status.message).toBe(message);
  });
});

test('what end() says wins over the steps, and an error over nothing', () => {
  const outcomes = [{ outcome: 'interrupted' as const }, { error: new Error('gone') }, {}].map((told) => {
    recorder.forget();
    const c = startConversation();
    c.step('gpt', () => 'x');
    c.end(told);
    return recorder.attributesOf('conversation')['conversation.outcome'];
  });
  expect(outcomes).toEqual(['interrupted', 'failed', 'completed']);
});

test('the reason of a barge-in stands on the conversation that it ended', async () => {
  await conversation(async (c) => interrupting(c, 'tts'));
  expect(recorder.attributesOf('conversation')['conversation.step.interruption.reason']).toBe('barge-in');
});

test('steps of the past are judged by their times, not by the order in which they are recorded', () => {
  const c = startConversation();
  const atMs = Date.now() - 10_000;
  const recorded = (name: string, fromMs: number, toMs: number, attempt: number, error?: Error): void =>
    c.recordStep(name, { startTime: atMs + fromMs, endTime: atMs + toMs, attempt, error });
  recorded('gpt', 500, 900, 3);
  recorded('gpt', 0, 100, 1, new Error('first'));
  recorded('gpt', 200, 300, 2, new Error('second'));
  recorded('log', 0, 1000, 1, new Error('log'));
  c.end();
  expect(recorder.only('conversation').status.message).toBe('log');
});

test('a failure of the past is made up for by a step after it, also where that is recorded first', () => {
  const c = startConversation();
  const atMs = Date.now() - 10_000;
  c.recordStep('gpt-fallback', { startTime: atMs + 500, endTime: atMs + 900 });
  c.recordStep('gpt', { startTime: atMs, endTime: atMs + 400, error: new Error('busy') });
  c.end();
  expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('completed');
});

test('a thousand failures keep no more memory than they need, and the last still counts', async () => {
  const c = startConversation();
  for (let index = 0; index < 3000; index += 1) await failing(c, 'gpt', `failure ${index}`);
  await completing(c, 'gpt');
  await failing(c, 'tts', 'the last');
  c.end();
  expect(recorder.only('conversation').status.message).toBe('the last');
});

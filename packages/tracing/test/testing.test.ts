import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { processRegistry, processSettings } from '@convotel/conventions';
import { context, trace } from '@opentelemetry/api';
import { conversation, joinConversation, startConversation, step } from '@convotel/tracing';
import { recordConversations } from '@convotel/tracing/testing';
import type { ConversationRecorder } from '@convotel/tracing/testing';
import { recordSpans } from './support/span-recorder.ts';
import { runProgram } from './support/run-program.ts';

let recorder: ConversationRecorder;

beforeEach(() => {
  trace.disable();
  context.disable();
  recorder = recordConversations();
});

afterEach(() => {
  recorder.stop();
  jest.useRealTimers();
});

test('conversations and steps come as plain objects', async () => {
  await conversation(
    { conversationId: 'c-1', workflow: 'voice', sessionId: 's', attributes: { 'app.locale': 'de' } },
    async (c) => {
      c.inputEnded();
      await c.step('agent', async () => {
        await step(
          'gpt',
          { model: 'gpt-5', provider: 'openai', kind: 'client', input: 'hello', attempt: 2 },
          async (gpt) => {
            gpt.usage({ inputTokens: 1, outputTokens: 2 });
            gpt.timing('queue_wait', { seconds: 0.5 });
            gpt.firstOutput();
            gpt.set({ 'app.tool': 'none' });
            return 'hi';
          },
        );
      });
      await c
        .step('tts', async () => Promise.reject(Object.assign(new Error('busy'), { code: 'overloaded' })))
        .catch(() => {});
      c.step('response', (response) => response.interrupted('barge-in'));
    },
  );
  const time = expect.any(Date);
  const number = expect.any(Number);
  expect(recorder.conversations).toEqual([
    {
      id: 'c-1',
      workflow: 'voice',
      sessionId: 's',
      hasRoot: true,
      outcome: 'failed',
      errorType: 'overloaded',
      errorMessage: 'busy',
      startTime: time,
      durationMs: number,
      attributes: { 'app.locale': 'de' },
      steps: [
        {
          name: 'agent',
          conversationId: 'c-1',
          outcome: 'completed',
          attempt: 1,
          depth: 0,
          kind: 'internal',
          startTime: time,
          durationMs: number,
          output: undefined,
          timingsMs: {},
          attributes: {},
          steps: [
            {
              name: 'gpt',
              conversationId: 'c-1',
              outcome: 'completed',
              attempt: 2,
              depth: 1,
              kind: 'client',
              operation: 'chat',
              model: 'gpt-5',
              provider: 'openai',
              input: 'hello',
              output: 'hi',
              inputTokens: 1,
              outputTokens: 2,
              startTime: time,
              durationMs: number,
              timeToFirstOutputMs: number,
              timingsMs: { queue_wait: 500 },
              attributes: { 'app.tool': 'none' },
              steps: [],
            },
          ],
        },
        expect.objectContaining({ name: 'tts', outcome: 'failed', operation: 'text_to_speech' }),
        expect.objectContaining({
          name: 'response',
          outcome: 'interrupted',
          interruptionReason: 'barge-in',
          responseMs: number,
        }),
      ],
    },
  ]);
  expect(recorder.steps.map(({ name }) => name)).toEqual(['agent', 'gpt', 'tts', 'response']);
  expect(structuredClone(recorder.conversations)).toEqual(recorder.conversations);
});

test('what is open has no outcome yet', () => {
  const c = startConversation();
  const gpt = c.startStep('gpt');
  expect(recorder.steps).toEqual([expect.not.objectContaining({ outcome: expect.anything() })]);
  gpt.end('hi');
  c.end();
  expect(recorder.conversations[0]).toMatchObject({
    outcome: 'completed',
    steps: [{ outcome: 'completed', output: 'hi' }],
  });
});

test('reset() forgets', () => {
  conversation((c) => c.step('gpt', () => {}));
  step('outside', () => {});
  expect([recorder.conversations.length, recorder.steps.length, recorder.warnings.length]).toEqual([1, 1, 1]);
  recorder.reset();
  expect([recorder.conversations, recorder.steps, recorder.warnings]).toEqual([[], [], []]);
  step('outside', () => {});
  expect(recorder.warnings).toEqual([expect.stringContaining('"outside" ran outside of any conversation')]);
});

test('conversations under one id stay two', () => {
  for (const outcome of ['completed', 'failed'] as const) {
    const c = startConversation({ conversationId: 'twice' });
    c.step('gpt', () => {});
    c.end({ outcome });
  }
  const found = recorder.conversations.map(({ id, outcome, steps }) => [id, outcome, steps.length]);
  expect(found).toEqual([
    ['twice', 'completed', 1],
    ['twice', 'failed', 1],
  ]);
});

test('steps of a conversation that is joined are found without its root', () => {
  joinConversation('elsewhere', { workflow: 'voice' }, (c) => {
    c.step('gpt', () => c.step('tool', () => {}));
    c.step('tts', () => {});
  });
  expect(recorder.conversations).toMatchObject([
    {
      id: 'elsewhere',
      workflow: 'voice',
      hasRoot: false,
      steps: [{ name: 'gpt', steps: [{ name: 'tool', depth: 1 }] }, { name: 'tts' }],
    },
  ]);
});

test('texts are left out where the conversation, or the test, says so', () => {
  conversation({ captureContent: false }, (c) => c.step('gpt', { input: 'hello' }, () => 'hi'));
  recorder.stop();
  recorder = recordConversations({ captureContent: false });
  conversation((c) => c.step('gpt', { input: 'hello' }, () => 'hi'));
  expect(recorder.steps).toEqual([expect.not.objectContaining({ input: 'hello' })]);
});

test('under fake timers, durations are those of the fake clock', async () => {
  jest.useFakeTimers({ now: new Date('2025-10-08T14:30:00Z') });
  const talk = conversation(async (c) =>
    c.step('gpt', async (gpt) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      gpt.firstOutput();
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }),
  );
  await jest.advanceTimersByTimeAsync(1500);
  await talk;
  const [found] = recorder.conversations;
  expect(found!.startTime).toEqual(new Date('2025-10-08T14:30:00Z'));
  expect(found!.durationMs).toBeCloseTo(1500, 3);
  expect(found!.steps[0]!.timeToFirstOutputMs).toBeCloseTo(400, 3);
});

describe('the program around it', () => {
  test('is left as it was', () => {
    recorder.stop();
    expect(processSettings().warn).toBeUndefined();
    expect(processSettings().captureContent).toBeUndefined();
    expect(processRegistry().recorder).toBeUndefined();
    conversation((c) => c.step('gpt', () => {}));
    expect(recorder.conversations).toEqual([]);
  });

  test('may have a provider: nothing reaches it, and its contexts are used', async () => {
    recorder.stop();
    const spans = recordSpans();
    recorder = recordConversations();
    await conversation(async () => {
      await sleep(1);
      step('gpt', () => {});
    });
    trace.getTracer('theirs').startSpan('theirs').end();
    expect(recorder.steps.map(({ name }) => name)).toEqual(['gpt']);
    expect(spans.spans().map(({ name }) => name)).toEqual(['theirs']);
    recorder.stop();
    conversation((c) => c.step('stt', () => {}));
    expect(spans.spans().map(({ name }) => name)).toEqual(['theirs', 'stt', 'conversation']);
    trace.disable();
    context.disable();
    processSettings().warn = undefined;
  });
});

test('a second copy of the package is recorded too', async () => {
  const { steps, warnings, abandoned } = await runProgram(`
    import { recordConversations } from '@convotel/tracing/testing';
    const first = await import('@convotel/tracing');
    // A hot reload: the same files under another address.
    const { register } = await import('node:module');
    register('data:text/javascript,' + encodeURIComponent(\`
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        const isCopied = (context.parentURL + specifier).includes('copy=2') && found.url.includes('/packages/');
        return isCopied ? { ...found, url: found.url.replace('?copy=2', '') + '?copy=2' } : found;
      }\`));
    const second = await import(import.meta.resolve('@convotel/tracing') + '?copy=2');
    if (second.step === first.step) throw new Error('there is no second copy');
    const recorder = recordConversations();
    await first.conversation({ conversationId: 'one' }, async (c) => {
      await c.step('agent', async () => { await null; second.step('gpt', () => first.step('tool', () => {})); });
    });
    second.startConversation({ conversationId: 'open' });
    globalThis[Symbol.for('convotel')].abandonOpen();
    console.log(JSON.stringify({
      steps: recorder.steps.map(({ name, depth, conversationId }) => [name, depth, conversationId]),
      warnings: recorder.warnings,
      abandoned: recorder.conversations.map(({ id, outcome }) => [id, outcome]),
    }));
  `);
  expect(steps).toEqual([
    ['agent', 0, 'one'],
    ['gpt', 1, 'one'],
    ['tool', 2, 'one'],
  ]);
  expect(warnings).toEqual([]);
  expect(abandoned).toEqual([
    ['one', 'completed'],
    ['open', 'abandoned'],
  ]);
});

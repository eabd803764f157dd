import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { processSettings } from '@convotel/conventions';
import { SpanKind, SpanStatusCode, diag, trace } from '@opentelemetry/api';
import { conversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => {
  recorder.forget();
  delete processSettings().captureContent;
});

describe('the root span', () => {
  test('carries id, schema version, operation, workflow and session', async () => {
    await conversation(
      { conversationId: 'c-1', workflow: 'voice', sessionId: 'caller', attributes: { 'app.locale': 'de' } },
      async () => {},
    );
    expect(recorder.attributesOf('conversation')).toEqual({
      'conversation.id': 'c-1',
      'conversation.schema.version': '1',
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': 'voice',
      'session.id': 'caller',
      'gen_ai.conversation.id': 'caller',
      'app.locale': 'de',
      'conversation.outcome': 'completed',
    });
    const root = recorder.only('conversation');
    expect(root.kind).toBe(SpanKind.INTERNAL);
    expect(root.status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test('has neither session nor workflow when the program gives none, and a generated id', () => {
    conversation((c) => expect(c.id).toMatch(/^\d{8}_\d{6}_[0-9a-f]{16}$/));
    const attributes = recorder.attributesOf('conversation');
    expect(attributes).not.toHaveProperty(['session.id']);
    expect(attributes).not.toHaveProperty(['gen_ai.workflow.name']);
    expect(attributes['conversation.id']).toMatch(/^\d{8}_\d{6}_[0-9a-f]{16}$/);
  });

  test.each([[''], ['x'.repeat(129)], [7], [null], [{}]])(
    'an id that is none (%j) is replaced by a generated one',
    (id) => {
      conversation({ conversationId: id as string }, (c) => expect(c.id).toMatch(/^\d{8}_/));
      expect(recorder.warnings).toEqual([expect.stringContaining('1 to 128 characters')]);
    },
  );

  test('is the root of its own trace and linked to the span that was active', async () => {
    const tracer = trace.getTracer('test');
    await tracer.startActiveSpan('http server', async (server) => {
      await conversation(async (c) => c.step('stt', () => 'x'));
      server.end();
    });
    const root = recorder.only('conversation');
    const server = recorder.only('http server');
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.spanContext().traceId).not.toBe(server.spanContext().traceId);
    expect(root.links.map((link) => link.context.spanId)).toEqual([server.spanContext().spanId]);
    expect(recorder.only('stt').spanContext().traceId).toBe(root.spanContext().traceId);
  });

  test('takes attributes set during the conversation', () => {
    conversation((c) => c.set({ 'app.turns': 3, 'app.bad': Number.NaN }));
    expect(recorder.attributesOf('conversation')).toMatchObject({ 'app.turns': 3 });
    expect(recorder.attributesOf('conversation')).not.toHaveProperty(['app.bad']);
  });

  test('ends when the result is over and no step is open', async () => {
    let finishPlayback!: () => void;
    const playback = new Promise<void>((resolve) => {
      finishPlayback = resolve;
    });
    let background!: Promise<void>;
    await conversation(async (c) => {
      background = c.step('response', () => playback);
    });
    expect(recorder.named('conversation')).toHaveLength(0);
    finishPlayback();
    await background;
    expect(recorder.named('conversation')).toHaveLength(1);
    expect(msOf(recorder.only('conversation').endTime)).toBeGreaterThanOrEqual(
      msOf(recorder.only('response').endTime) - 1,
    );
  });

  test('a step that starts after the end still becomes a span below the root', async () => {
    let late!: () => void;
    await conversation(async (c) => {
      late = () => c.step('log', () => {});
    });
    const complaints: string[] = [];
    const complain = (message: string): void => void complaints.push(message);
    const silent = (): void => {};
    diag.setLogger({ error: complain, warn: complain, info: silent, debug: silent, verbose: silent });
    late();
    diag.disable();
    expect(complaints).toEqual([]);
    expect(recorder.named('conversation')).toHaveLength(1);
    expect(recorder.only('log').parentSpanContext?.spanId).toBe(recorder.only('conversation').spanContext().spanId);
  });
});

describe('results and outcomes', () => {
  test('a plain function stays plain: value out, same error out', () => {
    const value = { answer: 42 };
    expect(conversation(() => value)).toBe(value);
    const error = new RangeError('too far');
    expect(() =>
      conversation(() => {
        throw error;
      }),
    ).toThrow(error);
    const [completed, failed] = recorder.named('conversation');
    expect(completed!.attributes['conversation.outcome']).toBe('completed');
    expect(failed!.attributes).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': 'RangeError' });
    expect(failed!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' });
    expect(failed!.events).toEqual([]);
  });

  test('fails when a step failed and nothing made it good, although the error was caught', async () => {
    await conversation(async (c) => {
      await c.step('gpt', async () => Promise.reject(new Error('busy'))).catch(() => 'sorry');
    });
    expect(recorder.only('conversation').status).toEqual({ code: SpanStatusCode.ERROR, message: 'busy' });
    expect(recorder.attributesOf('conversation')).toMatchObject({
      'conversation.outcome': 'failed',
      'error.type': 'Error',
    });
  });

  test('a rejected callback rejects with the same object', async () => {
    const error = new Error('no');
    await expect(conversation(async () => Promise.reject(error))).rejects.toBe(error);
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('failed');
  });
});

test('conversations at the same time keep their steps apart', async () => {
  await Promise.all(
    ['a', 'b', 'c'].map((id, index) =>
      conversation({ conversationId: id }, async () => {
        await sleep(5 * (3 - index));
        await step('stt', () => sleep(5));
        await step('gpt', () => sleep(5));
      }),
    ),
  );
  const traceIdByConversation = new Map(
    recorder.named('conversation').map((root) => [root.attributes['conversation.id'], root.spanContext().traceId]),
  );
  expect(traceIdByConversation.size).toBe(3);
  const steps = [...recorder.named('stt'), ...recorder.named('gpt')];
  expect(steps).toHaveLength(6);
  for (const each of steps) {
    expect(each.spanContext().traceId).toBe(traceIdByConversation.get(each.attributes['conversation.id']));
  }
});

test('a conversation inside a conversation is a trace of its own', async () => {
  await conversation({ conversationId: 'outer' }, async (outer) => {
    await outer.step('gpt', async () => {
      await conversation({ conversationId: 'inner' }, async () => {
        step('look-up', () => 'x');
        outer.step('memory', () => 'y');
      });
    });
  });
  const lookUp = recorder.only('look-up');
  expect(lookUp.attributes).toMatchObject({ 'conversation.id': 'inner' });
  expect(lookUp.attributes).not.toHaveProperty(['conversation.step.depth']);
  expect(recorder.only('memory').attributes['conversation.id']).toBe('outer');
});

test('texts are kept only where the conversation, else the process, says so', () => {
  const talk = (captureContent?: boolean): void =>
    conversation(captureContent === undefined ? {} : { captureContent }, (c) => {
      c.step('gpt', { input: 'hello' }, () => 'hi');
    });
  talk();
  processSettings().captureContent = true;
  talk();
  talk(false);
  processSettings().captureContent = false;
  talk();
  talk(true);
  const kept = recorder.named('gpt').map(({ attributes }) => attributes['conversation.pii.input_text']);
  expect(kept).toEqual([undefined, 'hello', undefined, undefined, 'hello']);
  for (const { attributes } of recorder.named('gpt')) {
    expect(attributes).toMatchObject({ 'conversation.input.chars': 5, 'conversation.output.chars': 2 });
  }
});

test('long texts are cut where the process says so, and their length is kept', () => {
  processSettings().captureContent = true;
  processSettings().maxContentLength = 5;
  try {
    conversation((c) => c.step('gpt', { input: 'hello world' }, () => 'four😀'));
  } finally {
    processSettings().maxContentLength = undefined;
  }
  expect(recorder.attributesOf('gpt')).toMatchObject({
    'conversation.pii.input_text': 'hello',
    'conversation.input.chars': 11,
    'conversation.pii.output_text': 'four',
    'conversation.output.chars': 6,
  });
});

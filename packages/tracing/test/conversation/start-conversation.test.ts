import { beforeEach, describe, expect, test } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { startConversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());

const fail = (message: string) => (): never => {
  throw new Error(message);
};

function attempt(run: () => unknown): void {
  try {
    run();
  } catch {
    // The program of these tests goes on after a step failed.
  }
}

describe('a conversation of the past', () => {
  test('has the times that it was given, to the microsecond', () => {
    const startMs = Date.UTC(2025, 9, 8, 14, 30, 22) + 123.456;
    const handle = startConversation({ conversationId: 'past', startTime: startMs });
    handle.recordStep('stt', {
      startTime: new Date(startMs + 10),
      endTime: startMs + 1244.001,
      output: 'Tell me a story',
      timings: { queue_wait: 0.08, broken: Number.NaN },
      timeToFirstOutputSeconds: 0.5,
      usage: { inputTokens: 12, outputTokens: Number.POSITIVE_INFINITY },
    });
    handle.end({ endTime: startMs + 2000 });
    const root = recorder.only('conversation');
    const stt = recorder.only('stt');
    expect(msOf(root.startTime)).toBeCloseTo(startMs, 3);
    expect(msOf(root.duration)).toBeCloseTo(2000, 3);
    expect(msOf(stt.endTime)).toBeCloseTo(startMs + 1244.001, 3);
    expect(stt.attributes).toEqual({
      'conversation.id': 'past',
      'conversation.step.name': 'stt',
      'gen_ai.operation.name': 'speech_to_text',
      'conversation.output.chars': 15,
      'conversation.step.timing.queue_wait': 0.08,
      'conversation.step.time_to_first_output': 0.5,
      'gen_ai.usage.input_tokens': 12,
      'conversation.outcome': 'completed',
    });
  });

  test('a recorded step without valid times is left out, and the conversation goes on', () => {
    const handle = startConversation();
    handle.recordStep('stt', { startTime: Number.NaN, endTime: 1 });
    handle.recordStep('gpt', undefined as never);
    handle.end();
    expect(recorder.spans().map((span) => span.name)).toEqual(['conversation']);
  });

  test('a first output after the end of a recorded step is left out, with a warning', () => {
    const handle = startConversation();
    const endTime = Date.now();
    handle.recordStep('gpt', { startTime: endTime - 900, endTime, timeToFirstOutputSeconds: 350 });
    handle.recordStep('tts', { startTime: endTime - 900, endTime, timeToFirstOutputSeconds: 0.9 });
    handle.end();
    expect(recorder.attributesOf('gpt')).not.toHaveProperty(['conversation.step.time_to_first_output']);
    expect(recorder.attributesOf('tts')['conversation.step.time_to_first_output']).toBe(0.9);
    expect(recorder.warnings).toEqual([expect.stringContaining('seconds from its start, not milliseconds')]);
  });

  test('a start without an end ends now', () => {
    const beforeMs = Date.now();
    startConversation({ startTime: beforeMs - 1000 }).end();
    expect(msOf(recorder.only('conversation').endTime)).toBeGreaterThanOrEqual(beforeMs);
    expect(msOf(recorder.only('conversation').endTime)).toBeLessThanOrEqual(Date.now() + 1);
  });

  test('a recorded failure says how it failed', () => {
    const handle = startConversation();
    const times = { startTime: Date.now() - 2000, endTime: Date.now() - 1000 };
    handle.recordStep('gpt', { ...times, error: new Error('API rate limit exceeded') });
    handle.recordStep('tts', { ...times, outcome: 'abandoned' });
    handle.recordStep('response', { ...times, outcome: 'timed_out' });
    handle.end();
    expect(recorder.only('gpt').status).toEqual({ code: SpanStatusCode.ERROR, message: 'API rate limit exceeded' });
    expect(recorder.attributesOf('gpt')['error.type']).toBe('Error');
    expect(recorder.attributesOf('tts')).toMatchObject({
      'conversation.outcome': 'abandoned',
      'error.type': 'abandoned',
    });
    expect(recorder.attributesOf('response')).toMatchObject({
      'conversation.outcome': 'timed_out',
      'error.type': '_OTHER',
    });
  });
});

describe('the outcome', () => {
  test('counts last attempts of outermost steps', () => {
    const handle = startConversation();
    attempt(() => handle.step('gpt', fail('first')));
    handle.step('gpt', { attempt: 2 }, () => 'ok');
    handle.step('outer', () => attempt(() => handle.step('inner', fail('nested'))));
    handle.step('tts', (tts) => tts.interrupted('barge-in'));
    handle.end();
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('interrupted');
    expect(recorder.named('gpt').map((span) => span.attributes['conversation.step.attempt'])).toEqual([undefined, 2]);
  });

  test('of two runs of a step side by side both count', async () => {
    const handle = startConversation();
    let finish!: () => void;
    const second = handle.step('tts', () => new Promise<void>((resolve) => (finish = resolve)));
    attempt(() => handle.step('tts', fail('first sentence')));
    finish();
    await second;
    handle.end();
    const root = recorder.only('conversation');
    expect(root.attributes).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': 'Error' });
    expect(root.status.message).toBe('first sentence');
  });

  test('is what end() is told', () => {
    const failing = startConversation();
    attempt(() => failing.step('gpt', fail('busy')));
    failing.end({ outcome: 'completed' });
    startConversation().end({ error: new Error('gone') });
    const outcomes = recorder.named('conversation').map((root) => root.attributes['conversation.outcome']);
    expect(outcomes).toEqual(['completed', 'failed']);
  });
});

test('end() counts once and waits for open steps', async () => {
  const handle = startConversation();
  let finish!: () => void;
  const speaking = handle.step('tts', () => new Promise<void>((resolve) => (finish = resolve)));
  handle.end();
  handle.end({ outcome: 'failed' });
  expect(recorder.named('conversation')).toHaveLength(0);
  finish();
  await speaking;
  expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('completed');
});

test('run() makes the conversation active and returns what its function returns', async () => {
  const handle = startConversation({ conversationId: 'handle' });
  const heard = await handle.run(async (c) => {
    expect(c.id).toBe('handle');
    return step('stt', async () => 'hello');
  });
  expect(heard).toBe('hello');
  handle.end();
  expect(recorder.only('stt').attributes['conversation.id']).toBe('handle');
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, startConversation } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());

const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`app.message.${index}`, 'hi']));

describe("more attributes than OpenTelemetry keeps: convotel's own stay", () => {
  test.each(['completed', 'interrupted', 'timed_out'] as const)('on a step that %s', async (outcome) => {
    await conversation({ sessionId: 's', workflow: 'voice', attributes: many }, async (c) => {
      const gpt = c.step('gpt', { model: 'gpt-5', input: 'hello', attempt: 2, attributes: many }, async (each) => {
        each.set(many);
        each.usage({ inputTokens: 1, outputTokens: 2 });
        each.timing('queue_wait', { seconds: 1 });
        each.firstOutput();
        if (outcome === 'interrupted') each.interrupted('barge-in');
        if (outcome === 'timed_out') throw Object.assign(new Error('slow'), { name: 'TimeoutError' });
        return 'answer';
      });
      await gpt.catch(() => {});
    });
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': outcome,
      'conversation.step.attempt': 2,
      'conversation.step.timing.queue_wait': 1,
      'conversation.step.time_to_first_output': expect.any(Number),
      'conversation.input.chars': 5,
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.workflow.name': 'voice',
      'session.id': 's',
      ...(outcome === 'timed_out' && { 'error.type': 'TimeoutError' }),
      ...(outcome === 'interrupted' && { 'conversation.step.interruption.reason': 'barge-in' }),
      ...(outcome === 'completed' && { 'conversation.output.chars': 6 }),
    });
    expect(recorder.attributesOf('conversation')).toMatchObject({
      'conversation.outcome': outcome,
      'conversation.schema.version': '1',
      'gen_ai.workflow.name': 'voice',
    });
    for (const name of ['gpt', 'conversation']) {
      expect(Object.keys(recorder.attributesOf(name)).filter((key) => key.startsWith('app.')).length).toBeGreaterThan(
        100,
      );
    }
    expect(recorder.warnings).toEqual([expect.stringContaining("of the program's own were dropped")]);
  });
});

test('a program may set attributes of the GenAI conventions, but not who the step is', () => {
  const c = startConversation({ conversationId: 'c-1' });
  c.step('gpt', { model: 'gpt-5' }, (gpt) =>
    gpt.set({
      'gen_ai.request.model': 'gpt-5-mini',
      'conversation.id': 'other',
      'conversation.step.name': 'other',
      'conversation.outcome': 'failed',
    }),
  );
  c.end();
  expect(recorder.attributesOf('gpt')).toMatchObject({
    'gen_ai.request.model': 'gpt-5-mini',
    'conversation.id': 'c-1',
    'conversation.step.name': 'gpt',
    'conversation.outcome': 'completed',
  });
});

import { describe, expect, test } from '@jest/globals';
import { conversationEnding, missingSteps, unansweredUser } from '../../../src/answers/conversation/trace.ts';
import { summaryFacts, textsOf } from '../facts-for-tests.ts';

const HEARD = [
  { step: 'listen', durationMs: 1 },
  { step: 'asr', durationMs: 1 },
];

describe('conversation-ending', () => {
  test.each([
    ['failed', 'Conversation failed after ASR completed successfully'],
    ['timed_out', 'Conversation timed out after ASR completed successfully'],
    ['abandoned', 'Conversation was abandoned after ASR completed successfully'],
    ['interrupted', 'Conversation was interrupted after ASR completed successfully'],
    ['open', 'Conversation has not ended yet: ASR completed last'],
  ] as const)('of a conversation that is %s', (outcome, text) => {
    const steps = [...HEARD, { step: 'llm', durationMs: 1, outcome: 'failed' as const }];
    expect(textsOf(conversationEnding(summaryFacts(steps, { outcome })))).toEqual([text]);
  });

  test('where no step completed', () => {
    const steps = [{ step: 'listen', durationMs: 1, outcome: 'failed' as const }];
    expect(textsOf(conversationEnding(summaryFacts(steps, { outcome: 'failed' })))).toEqual([
      'Conversation failed before any step completed',
    ]);
    expect(textsOf(conversationEnding(summaryFacts([], { outcome: 'open' })))).toEqual([
      'Conversation has not ended yet: no step has completed',
    ]);
  });

  test('keeps the last completed step as evidence', () => {
    expect(conversationEnding(summaryFacts(HEARD, { outcome: 'failed' }))[0]?.evidence).toEqual({
      outcome: 'failed',
      lastCompleted: 'asr',
    });
  });

  test('says nothing of a completed conversation', () => {
    expect(conversationEnding(summaryFacts(HEARD))).toEqual([]);
  });
});

describe('missing-steps', () => {
  const failed = summaryFacts(HEARD, { outcome: 'failed' });
  test('names one, two and three steps', () => {
    expect(textsOf(missingSteps({ ...failed, missingSteps: ['play'] }))).toEqual([
      'No play step (conversation aborted)',
    ]);
    expect(textsOf(missingSteps({ ...failed, missingSteps: ['tts', 'play'] }))).toEqual([
      'No TTS or play steps (conversation aborted)',
    ]);
    expect(textsOf(missingSteps({ ...failed, missingSteps: ['llm', 'speak', 'play'] }))).toEqual([
      'No LLM, speak or play steps (conversation aborted)',
    ]);
  });

  test.each([
    ['timed_out', 'No play step (conversation timed out)'],
    ['abandoned', 'No play step (conversation abandoned)'],
    ['interrupted', 'No play step (conversation interrupted)'],
    ['open', 'No play step so far'],
  ] as const)('gives the reason when %s', (outcome, text) => {
    expect(textsOf(missingSteps({ ...summaryFacts(HEARD, { outcome }), missingSteps: ['play'] }))).toEqual([text]);
  });

  test('stays away where nothing is missing or the conversation completed', () => {
    expect(missingSteps({ ...failed, missingSteps: [] })).toEqual([]);
    expect(missingSteps({ ...summaryFacts(HEARD), missingSteps: ['play'] })).toEqual([]);
  });
});

describe('unanswered-user', () => {
  test('says once what the user noticed of the missing steps', () => {
    const facts = { ...summaryFacts(HEARD, { outcome: 'abandoned' }), missingSteps: ['llm', 'play', 'playback'] };
    expect(textsOf(unansweredUser(facts))).toEqual(['User heard nothing back (bad UX)']);
  });

  test('stays away where no missing step reaches the user, and from conversations that go on or were interrupted', () => {
    expect(unansweredUser({ ...summaryFacts(HEARD, { outcome: 'failed' }), missingSteps: ['llm'] })).toEqual([]);
    expect(unansweredUser({ ...summaryFacts(HEARD, { outcome: 'open' }), missingSteps: ['play'] })).toEqual([]);
    expect(unansweredUser({ ...summaryFacts(HEARD, { outcome: 'interrupted' }), missingSteps: ['play'] })).toEqual([]);
  });
});

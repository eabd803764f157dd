import { expect, test } from '@jest/globals';
import { MemorySource, summary } from '@convotel/query';
import { rootSpan, stepSpan } from '@convotel/suite';

test('a step is unsuccessful by its last attempt, and each call counts that no later span retries', async () => {
  const at = (second: number): string => new Date(Date.UTC(2025, 9, 8, 12, 0, second)).toISOString();
  const spans = [
    rootSpan({ start: at(0), ms: 60_000 }),
    stepSpan('gpt', { start: at(0), ms: 1000, outcome: 'failed' }),
    stepSpan('gpt', { start: at(2), ms: 1000, outcome: 'failed', attempt: 2 }),
    stepSpan('tts', { start: at(4), ms: 1000, outcome: 'failed' }),
    stepSpan('gpt', { start: at(6), ms: 1000, attempt: 3 }),
    stepSpan('gpt', { start: at(8), ms: 1000, outcome: 'failed' }),
  ];
  const { findings } = await summary(new MemorySource(spans), { conversationId: 'one', timeZone: 'UTC' });
  const told = findings.filter(({ rule }) => rule === 'unsuccessful-step');
  expect(told.map(({ evidence }) => [evidence['step'], evidence['outcome'], evidence['failures']])).toEqual([
    ['tts', 'failed', 1],
    ['gpt', 'completed', 3],
    ['gpt', 'failed', 3],
  ]);
});

import { expect, test } from '@jest/globals';
import {
  highErrorRate,
  MemorySource,
  noConversations,
  QueryError,
  slowConversations,
  slowStep,
  watchOnce,
} from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { exampleConversations } from '../answers/example-conversations.ts';
import { recordConversation } from '../answers/record-conversation.ts';

/** A quarter past the example's conversations. */
const options = { clock: () => new Date('2025-10-08T14:45:00Z') };

function tookMs(...durationsMs: number[]): SpanRecord[] {
  return durationsMs.flatMap((durationMs, index) =>
    recordConversation({
      conversationId: `conversation ${index}`,
      startTime: '2025-10-08T14:00:00Z',
      steps: [{ step: 'gpt', offsetMs: 0, durationMs }],
    }),
  );
}

function withFailures(failures: number, total: number): MemorySource {
  return new MemorySource(
    Array.from({ length: total }, (_none, index) =>
      recordConversation({
        conversationId: `conversation ${index}`,
        startTime: '2025-10-08T14:00:00Z',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs: 10, outcome: index < failures ? 'timed_out' : 'completed' }],
      }),
    ).flat(),
  );
}

test('a step that fails too often', async () => {
  expect(await watchOnce(exampleConversations(), [highErrorRate()], options)).toEqual([
    {
      rule: 'high-error-rate',
      severity: 'problem',
      text: 'HIGH ERROR RATE: gpt at 25.0%',
      evidence: { step: 'gpt', failures: 1, total: 4, errorRatePct: 25, abovePct: 10 },
      time: '2025-10-08T14:45:00.000000Z',
    },
  ]);
  expect(await watchOnce(exampleConversations(), [highErrorRate({ step: 'stt' })], options)).toEqual([]);
  expect(await watchOnce(exampleConversations(), [highErrorRate({ step: 'gpt' })], options)).toHaveLength(1);
});

test('a failure rate has to be above the limit', async () => {
  expect(await watchOnce(withFailures(1, 10), [highErrorRate()], options)).toEqual([]);
  expect(await watchOnce(withFailures(1, 10), [highErrorRate({ abovePct: 9.9 })], options)).toHaveLength(1);
});

test.each([
  [1, 3, '33.33%'],
  [1, 8, '12.5%'],
  [1, 1, '100.0%'],
])('%d of %d reads %s', async (failures, total, text) => {
  const [alert] = await watchOnce(withFailures(failures, total), [highErrorRate()], options);
  expect(alert!.text).toBe(`HIGH ERROR RATE: gpt at ${text}`);
});

test('more slow conversations than one puts up with', async () => {
  const three = new MemorySource(tookMs(8001, 9000, 10_000, 8000));
  expect(await watchOnce(three, [slowConversations()], options)).toEqual([]);
  const four = new MemorySource(tookMs(8001, 9000, 10_000, 8500, 100));
  expect(await watchOnce(four, [slowConversations()], options)).toEqual([
    {
      rule: 'slow-conversations',
      severity: 'warning',
      text: 'SLOW PERFORMANCE: 4 conversations >8s',
      evidence: { conversations: 4, thresholdMs: 8000, moreThan: 3 },
      time: '2025-10-08T14:45:00.000000Z',
    },
  ]);
  const [alert] = await watchOnce(four, [slowConversations({ thresholdMs: 8500, moreThan: 0 })], options);
  expect(alert!.text).toBe('SLOW PERFORMANCE: 2 conversations >8.5s');
});

test('beyond a thousand slow conversations the number is a lower bound', async () => {
  const source = new MemorySource(tookMs(...Array.from({ length: 1001 }, () => 9000)));
  const [alert] = await watchOnce(source, [slowConversations()], options);
  expect(alert!.text).toBe('SLOW PERFORMANCE: at least 1000 conversations >8s');
});

test('a percentile of a step above its limit', async () => {
  const source = new MemorySource(tookMs(1000, 2000, 3000));
  expect(await watchOnce(source, [slowStep({ step: 'gpt', aboveMs: 2900 })], options)).toEqual([]);
  expect(await watchOnce(source, [slowStep({ step: 'gpt', percentile: 50, aboveMs: 1999.5 })], options)).toEqual([
    {
      rule: 'slow-step',
      severity: 'warning',
      text: 'SLOW STEP: gpt P50 at 2.000s (>1.9995s)',
      evidence: { step: 'gpt', percentile: 50, valueMs: 2000, aboveMs: 1999.5, count: 3 },
      time: '2025-10-08T14:45:00.000000Z',
    },
  ]);
  expect(await watchOnce(source, [slowStep({ step: 'unheard of', aboveMs: 0 })], options)).toEqual([]);
});

test('silence, in the window asked for', async () => {
  const source = exampleConversations();
  expect(await watchOnce(source, [noConversations()], options)).toEqual([]);
  // The last conversation started 13 min 58.765433 s before.
  expect(await watchOnce(source, [noConversations()], { ...options, windowMs: 838_766 })).toEqual([]);
  const [alert] = await watchOnce(source, [noConversations()], { ...options, windowMs: 838_765 });
  expect(alert).toMatchObject({
    rule: 'no-conversations',
    severity: 'problem',
    text: 'NO CONVERSATIONS: none in the last 838.765s',
    evidence: { conversations: 0, windowMs: 838_765 },
  });
});

test.each([
  [2 * 3_600_000, '2h'],
  [90 * 60_000, '90m'],
  [45_000, '45s'],
])('a window of %d ms reads %s', async (windowMs, text) => {
  const [alert] = await watchOnce(new MemorySource([]), [noConversations()], { ...options, windowMs });
  expect(alert!.text).toBe(`NO CONVERSATIONS: none in the last ${text}`);
});

test('rules look at the conversations that their filters choose', async () => {
  const filters = { outcome: 'completed' } as const;
  expect(await watchOnce(exampleConversations(), [highErrorRate({ filters })], options)).toEqual([]);
  const interrupted = { outcome: 'interrupted' } as const;
  expect(await watchOnce(exampleConversations(), [noConversations({ filters: interrupted })], options)).toHaveLength(1);
});

test.each<[string, () => unknown]>([
  ['abovePct', () => highErrorRate({ abovePct: 101 })],
  ['thresholdMs', () => slowConversations({ thresholdMs: -1 })],
  ['moreThan', () => slowConversations({ moreThan: 10_000 })],
  ['percentile', () => slowStep({ step: 'gpt', percentile: 101, aboveMs: 1 })],
  ['aboveMs', () => slowStep({ step: 'gpt', aboveMs: Number.NaN })],
])('%s is checked when the rule is made', (option, make) => {
  expect(make).toThrow(QueryError);
  expect(make).toThrow(new RegExp(`^${option} `));
});

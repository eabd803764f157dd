import { describe, expect, test } from '@jest/globals';
import { correlation, MemorySource, parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { correlationRules } from '../../src/answers/correlation.ts';
import type { CorrelatedPair, Correlation } from '../../src/answers/correlation.ts';
import { findAll } from '../../src/findings/finding.ts';
import { inSequence, recordConversation } from './record-conversation.ts';
import type { RecordedConversation } from './record-conversation.ts';

const window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};
const asked = { window, timeZone: 'UTC' };

/** One conversation a row; a duration of undefined leaves the step out. */
function source(
  rows: readonly Record<string, number | undefined>[],
  overrides: Partial<RecordedConversation> = {},
): MemorySource {
  const spans = rows.flatMap((row, index): SpanRecord[] => {
    const steps = Object.entries(row).flatMap(([step, durationMs]) =>
      durationMs === undefined ? [] : [{ step, durationMs }],
    );
    const startTime = `2025-10-08T10:00:${String(index).padStart(2, '0')}Z`;
    return recordConversation({ conversationId: `c ${index}`, startTime, steps: inSequence(steps), ...overrides });
  });
  return new MemorySource(spans);
}

test('is Spearman’s, with the mean rank for equal values, over the conversations that have both', async () => {
  const { data } = await correlation(
    source([
      { stt: 10, gpt: 100, tts: 5 },
      { stt: 20, gpt: 100, tts: 4 },
      { stt: 30, gpt: 300, tts: 3 },
      { stt: 40, gpt: 200, tts: undefined },
    ]),
    asked,
  );
  expect(data.steps).toEqual(['stt', 'gpt', 'tts', 'duration']);
  expect(data.n).toBe(4);
  // Ranks 1 2 3 4 and 1.5 1.5 4 3: covariance 3.5, variances 5 and 4.5.
  const sttGpt = 3.5 / Math.sqrt(5 * 4.5);
  // Ranks 1 2 3, 1.5 1.5 3 and 3 2 1.
  const gptTts = -1.5 / Math.sqrt(1.5 * 2);
  expect(data.matrix[0]).toEqual([1, expect.closeTo(sttGpt, 12), -1, expect.closeTo(0.8, 12)]);
  expect(data.matrix[1]![2]).toBeCloseTo(gptTts, 12);
  data.matrix.forEach((row, first) => row.forEach((rho, second) => expect(data.matrix[second]![first]).toBe(rho)));
  expect(data.ranked[0]).toEqual({ a: 'stt', b: 'tts', spearman: -1, n: 3 });
  expect(data.ranked.find(({ a, b }) => a === 'gpt' && b === 'tts')).toMatchObject({ n: 3 });
  expect(data.ranked.map(({ spearman }) => Math.abs(spearman))).toEqual(
    data.ranked.map(({ spearman }) => Math.abs(spearman)).toSorted((a, b) => b - a),
  );
  expect(data.ranked).toHaveLength(6);
});

test('without variance, or below two conversations, there is none', async () => {
  const { data } = await correlation(
    source([
      { stt: 10, gpt: 1, once: 5 },
      { stt: 10, gpt: 2 },
    ]),
    asked,
  );
  expect(data.steps).toEqual(['stt', 'gpt', 'once', 'duration']);
  expect(data.matrix[0]).toEqual([null, null, null, null]);
  expect(data.matrix[2]).toEqual([null, null, null, null]);
  expect(data.matrix[1]![1]).toBe(1);
  expect(data.ranked).toEqual([{ a: 'gpt', b: 'duration', spearman: expect.any(Number), n: 2 }]);
  expect((await correlation(new MemorySource([]), asked)).data).toEqual({
    steps: ['duration'],
    n: 0,
    matrix: [[null]],
    ranked: [],
  });
});

test('a step’s value is the sum of its completed spans', async () => {
  const spans = [1, 2, 3].flatMap((index) =>
    recordConversation({
      conversationId: `c ${index}`,
      startTime: `2025-10-08T10:00:0${index}Z`,
      steps: [
        { step: 'gpt', offsetMs: 0, durationMs: 900 / index, outcome: 'failed' },
        { step: 'gpt', offsetMs: 1000, durationMs: 100, attempt: 2 },
        { step: 'gpt', offsetMs: 2000, durationMs: index * 10 },
        { step: 'tts', offsetMs: 3000, durationMs: index },
      ],
    }),
  );
  const { data } = await correlation(new MemorySource(spans), asked);
  expect(data.matrix[0]![1]).toBe(1);
});

test('only conversations that start in the window count, and the duration only of completed ones', async () => {
  const steps = (index: number) => inSequence([{ step: 'gpt', durationMs: index * 10 }]);
  const spans = [1, 2, 3, 4].flatMap((index) => [
    ...recordConversation({
      conversationId: `in ${index}`,
      startTime: `2025-10-08T10:00:0${index}Z`,
      steps: steps(index),
    }),
    ...recordConversation({
      conversationId: `failed ${index}`,
      startTime: `2025-10-08T11:00:0${index}Z`,
      steps: steps(index),
      outcome: 'failed',
    }),
    ...recordConversation({
      conversationId: `before ${index}`,
      startTime: `2025-10-07T10:00:0${index}Z`,
      steps: steps(index),
    }),
  ]);
  const { data } = await correlation(new MemorySource(spans), asked);
  expect(data.n).toBe(8);
  expect(data.ranked).toEqual([{ a: 'gpt', b: 'duration', spearman: 1, n: 4, interval: [1, 1] }]);
});

describe('findings', () => {
  const textsOf = (n: number, ...ranked: CorrelatedPair[]): string[] => {
    const data: Correlation = { steps: [], n, matrix: [], ranked };
    return findAll(correlationRules, { data }).map(({ text }) => text);
  };
  const pair = (a: string, b: string, spearman: number, n = 45): CorrelatedPair => ({ a, b, spearman, n });

  test('name the step that conversations go with most, and the steps that go together', () => {
    expect(
      textsOf(
        45,
        pair('gpt', 'duration', 0.934),
        pair('cache', 'gpt', -0.8),
        pair('stt', 'duration', 0.7),
        pair('stt', 'response', 0.51),
        pair('stt', 'gpt', 0.49),
      ),
    ).toEqual([
      'Conversations take long when GPT takes long (rank correlation 0.93, 45 conversations)',
      'Cache takes less time when GPT takes long (rank correlation -0.80, 45 conversations)',
      'STT and response take long together (rank correlation 0.51, 45 conversations)',
    ]);
  });

  test('say that nothing goes together, and that there are too few to tell', () => {
    expect(textsOf(45, pair('stt', 'gpt', 0.3))).toEqual(['No two durations clearly go together (45 conversations)']);
    expect(textsOf(9, pair('stt', 'gpt', 1, 9))).toEqual([
      'Too few conversations to tell what goes together (9, 10 needed)',
    ]);
  });

  test('leave out what chance brings about among many pairs', () => {
    const many = Array.from({ length: 20 }, (_none, index) => pair(`a${index}`, 'gpt', 0.1));
    // 0.7 over 10 pairs: 2.5 % by chance, among 21 pairs not rare at all.
    expect(textsOf(10, pair('stt', 'gpt', 0.7, 10))).toHaveLength(1);
    expect(textsOf(10, pair('stt', 'gpt', 0.7, 10), ...many)).toEqual([
      'No two durations clearly go together (10 conversations)',
    ]);
  });
});

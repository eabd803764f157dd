import { describe, expect, test } from '@jest/globals';
import { compare, MemorySource, parseInstant } from '@convotel/query';
import type { SpanRecord, Window } from '@convotel/query';
import { inSequence, recordConversation } from '../record-conversation.ts';
import type { RecordedConversation } from '../record-conversation.ts';

const before = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};
const after = { sinceUnixNano: before.untilUnixNano, untilUnixNano: parseInstant('2025-10-10T00:00:00Z') };
const asked = { before, after, timeZone: 'UTC' };

function conversation(
  id: string,
  startTime: string,
  overrides: Partial<RecordedConversation> = {},
): RecordedConversation {
  const steps = inSequence([
    { step: 'stt', durationMs: 1000 },
    { step: 'gpt', durationMs: 3000 },
  ]);
  return { conversationId: id, startTime, steps, ...overrides };
}

test('has a row for the time to first output of a step, right after the step, with interval and verdict', async () => {
  const streamed = (day: string, index: number, firstMs: number): SpanRecord[] =>
    recordConversation(
      conversation(`${day} ${index}`, `${day}T10:00:00.${String(index).padStart(3, '0')}Z`, {
        steps: [
          { step: 'gpt', offsetMs: 0, durationMs: 3000, timeToFirstOutputSeconds: firstMs / 1000 },
          // A call that is not counted, and one without a first output.
          { step: 'gpt', offsetMs: 3000, durationMs: 10, outcome: 'failed', timeToFirstOutputSeconds: 0.001 },
          { step: 'gpt', offsetMs: 3010, durationMs: 3000 },
          { step: 'tts', offsetMs: 6010, durationMs: 500 },
        ],
      }),
    );
  const spans = Array.from({ length: 20 }, (_none, index) => [
    ...streamed('2025-10-08', index, 400 + index),
    ...streamed('2025-10-09', index, 300 + index),
  ]).flat();
  const { data, findings } = await compare(new MemorySource(spans), asked);
  expect(data.map(({ step }) => step)).toEqual(['gpt', 'gpt first output', 'tts', 'conversation']);
  const row = data[1]!;
  const side = (averageMs: number): object => ({
    count: 20,
    averageMs: expect.closeTo(averageMs, 6),
    p50Ms: expect.closeTo(averageMs, 6),
    p95Ms: expect.closeTo(averageMs - 9.5 + 18.05, 6),
  });
  expect(row).toMatchObject({ before: side(409.5), after: side(309.5), verdict: 'faster' });
  expect(row.deltaMs).toBeCloseTo(-100, 6);
  expect(row.medianDeltaMs).toBeCloseTo(-100, 6);
  const [low, high] = row.intervalMs!;
  // The standard error of each mean is 5.92 / √20.
  expect(low).toBeGreaterThan(-105);
  expect(low).toBeLessThan(-102);
  expect(high).toBeGreaterThan(-98);
  expect(high).toBeLessThan(-95);
  expect(findings[0]!.text).toBe('First output of GPT reduced by 100.0ms (24% improvement)');
});

test('has a row for each step of either side in step order, and the conversation last', async () => {
  const source = new MemorySource(
    [
      conversation('before', '2025-10-08T10:00:00Z'),
      conversation('after', '2025-10-09T10:00:00Z', {
        steps: inSequence([
          { step: 'stt', durationMs: 900 },
          { step: 'gpt', durationMs: 2490, outcome: 'failed' },
          { step: 'gpt', durationMs: 2510, attempt: 2 },
          { step: 'tts', durationMs: 100 },
        ]),
      }),
    ].flatMap(recordConversation),
  );
  const answer = await compare(source, asked);
  expect(answer.window).toEqual({
    since: '2025-10-08T00:00:00.000000Z',
    until: '2025-10-10T00:00:00.000000Z',
    timeZone: 'UTC',
  });
  expect(answer.windows).toEqual({
    before: { since: '2025-10-08T00:00:00.000000Z', until: '2025-10-09T00:00:00.000000Z' },
    after: { since: '2025-10-09T00:00:00.000000Z', until: '2025-10-10T00:00:00.000000Z' },
  });
  expect(answer.coverage).toEqual({ conversations: 2, spans: 8, complete: true, warnings: [] });
  const one = (averageMs: number, errorRatePct: number, finalErrorRatePct?: number): object => ({
    count: 1,
    averageMs,
    p50Ms: averageMs,
    p95Ms: averageMs,
    errorRatePct,
    ...(finalErrorRatePct !== undefined && { finalErrorRatePct }),
  });
  expect(answer.data).toEqual([
    {
      step: 'stt',
      before: one(1000, 0, 0),
      after: one(900, 0, 0),
      deltaMs: -100,
      deltaPct: -10,
      medianDeltaMs: -100,
      verdict: 'too few',
    },
    {
      step: 'gpt',
      before: one(3000, 0, 0),
      after: one(2510, 50, 0),
      deltaMs: -490,
      deltaPct: -16.33,
      medianDeltaMs: -490,
      verdict: 'too few',
    },
    { step: 'tts', before: { count: 0 }, after: one(100, 0, 0), verdict: 'too few' },
    {
      step: 'conversation',
      before: one(4000, 0),
      after: one(6000, 0),
      deltaMs: 2000,
      deltaPct: 50,
      medianDeltaMs: 2000,
      verdict: 'too few',
    },
  ]);
});

test('the row conversation counts completed ones under 60 s, and rates all that are not open', async () => {
  const long = inSequence([
    { step: 'stt', durationMs: 30_000 },
    { step: 'gpt', durationMs: 30_000 },
  ]);
  const source = new MemorySource(
    [
      conversation('good', '2025-10-08T10:00:00Z'),
      conversation('failed', '2025-10-08T11:00:00Z', { outcome: 'failed' }),
      conversation('interrupted', '2025-10-08T12:00:00Z', { outcome: 'interrupted' }),
      conversation('open', '2025-10-08T13:00:00Z', { outcome: 'open' }),
      conversation('60 s', '2025-10-08T14:00:00Z', { steps: long }),
      // Starts before midnight: its steps after it belong to the day after, the conversation to the day before.
      conversation('over midnight', '2025-10-08T23:59:59.5Z'),
    ].flatMap(recordConversation),
  );
  const { data } = await compare(source, asked);
  const [stt, gpt, whole] = data;
  expect(stt).toMatchObject({ before: { count: 6 }, after: { count: 0 } });
  expect(gpt).toMatchObject({ before: { count: 5 }, after: { count: 1, averageMs: 3000 } });
  expect(whole).toEqual({
    step: 'conversation',
    before: { count: 2, averageMs: 4000, p50Ms: 4000, p95Ms: 4000, errorRatePct: 20 },
    after: { count: 0 },
    verdict: 'too few',
  });
});

test('two empty windows compare to a conversation row with nothing in it', async () => {
  const { data, coverage } = await compare(new MemorySource([]), asked);
  expect(data).toEqual([{ step: 'conversation', before: { count: 0 }, after: { count: 0 }, verdict: 'too few' }]);
  expect(coverage.conversations).toBe(0);
});

test('an improvement of gpt is found, with an interval around the difference, and again with the same seed', async () => {
  const day = (date: string, gptMs: number): RecordedConversation[] =>
    Array.from({ length: 45 }, (_none, index) =>
      conversation(`${date} ${index}`, `${date}T10:00:${String(index).padStart(2, '0')}Z`, {
        steps: inSequence([
          { step: 'stt', durationMs: 1000 + ((index * 7) % 45) * 10 },
          // Evenly spread, and in another order than stt.
          { step: 'gpt', durationMs: gptMs + (((index * 11) % 45) - 22) * 50 },
        ]),
      }),
    );
  const source = new MemorySource(
    [...day('2025-10-08', 3421.8), ...day('2025-10-09', 2834.5)].flatMap(recordConversation),
  );
  const answer = await compare(source, asked);
  const [stt, gpt, whole] = answer.data;
  expect(stt).toMatchObject({ verdict: 'no clear change', deltaMs: expect.closeTo(0, 6) });
  expect(gpt).toMatchObject({ verdict: 'faster', deltaMs: expect.closeTo(-587.3, 6), deltaPct: -17.16 });
  expect(whole).toMatchObject({ verdict: 'faster', deltaMs: expect.closeTo(-587.3, 6) });
  // Standard deviation 649.5 ms, so that of the difference is 649.5·√(2/45) = 136.9 ms and the interval ±1.96 times it.
  const [low, high] = gpt!.intervalMs!;
  expect(Math.abs(low - (-587.3 - 268.4))).toBeLessThan(25);
  expect(Math.abs(high - (-587.3 + 268.4))).toBeLessThan(25);
  expect(await compare(source, { ...asked, seed: 1, resamples: 2000 })).toEqual(answer);
  expect((await compare(source, { ...asked, seed: 2 })).data).not.toEqual(answer.data);
});

describe('coverage counts every conversation and span of the two windows once', () => {
  const steps = inSequence([
    { step: 'stt', durationMs: 1000 },
    { step: 'gpt', durationMs: 3000 },
  ]);
  const spans = [
    { conversationId: 'first day', startTime: '2025-10-08T10:00:00Z', steps },
    // Root and first step on one side of midnight, the second step on the other.
    { conversationId: 'over midnight', startTime: '2025-10-08T23:59:59.5Z', steps },
    // Only the root before midnight: the program waited for the user.
    {
      conversationId: 'late steps',
      startTime: '2025-10-08T23:59:58Z',
      steps: steps.map((step) => ({ ...step, offsetMs: step.offsetMs + 5000 })),
    },
    { conversationId: 'second day', startTime: '2025-10-09T10:00:00Z', steps },
    { conversationId: 'third day', startTime: '2025-10-10T10:00:00Z', steps },
  ].flatMap(recordConversation);
  const midnight = (date: number): bigint => parseInstant(`2025-10-${String(date).padStart(2, '0')}T00:00:00Z`);
  const days = (first: number, last = first): Window => ({
    sinceUnixNano: midnight(first),
    untilUnixNano: midnight(last + 1),
  });
  const both = (one: Window, other: Window): SpanRecord[] =>
    spans.filter(
      ({ startTimeUnixNano: start }) =>
        (start >= one.sinceUnixNano && start < one.untilUnixNano) ||
        (start >= other.sinceUnixNano && start < other.untilUnixNano),
    );

  test.each<[string, Window, Window, string[]]>([
    ['windows that touch', days(8), days(9), []],
    ['windows in the wrong order', days(9), days(8), ['windows-swapped']],
    ['windows that overlap', days(8, 9), days(9, 10), ['sides-overlap']],
    ['one window twice', days(8), days(8), ['sides-overlap']],
    ['one window inside the other', days(8, 10), days(9), ['sides-overlap', 'windows-uneven']],
    ['windows with a gap between them', days(8), days(10), []],
    [
      'a short gap within a conversation',
      days(8),
      { sinceUnixNano: midnight(9) + 400_000_000n, untilUnixNano: midnight(9) + 1_000_000_000n },
      ['windows-uneven'],
    ],
  ])('%s', async (_what, one, other, codes) => {
    const { coverage } = await compare(new MemorySource(spans), { before: one, after: other, timeZone: 'UTC' });
    const expected = both(one, other);
    expect(coverage).toEqual({
      conversations: new Set(expected.map(({ traceId }) => traceId)).size,
      spans: expected.length,
      complete: true,
      warnings: codes.map((code) => ({ code, text: expect.any(String) })),
    });
  });
});

import { expect, test } from '@jest/globals';
import type { StepPercentiles } from '@convotel/query';
import { averages, commonErrors, errors, MemorySource, percentiles, success } from '@convotel/query';
import { DAY, exampleConversations } from './example-conversations.ts';
import { recordConversation } from './record-conversation.ts';

const asked = { window: DAY, timeZone: 'UTC' };

test('averages count completed steps, in step order, and say what they leave out', async () => {
  const { data, coverage, window } = await averages(exampleConversations(), asked);
  expect(window).toEqual({
    since: '2025-10-08T00:00:00.000000Z',
    until: '2025-10-09T00:00:00.000000Z',
    timeZone: 'UTC',
  });
  expect(coverage).toEqual({ conversations: 4, spans: 22, complete: true, warnings: [] });
  const none = { tooLong: 0, notCompleted: 0 };
  expect(data).toEqual([
    { step: 'request', count: 4, averageMs: 150, minMs: 150, maxMs: 150, leftOut: none, timings: {} },
    {
      step: 'stt',
      count: 4,
      averageMs: 1225.5,
      minMs: 1200,
      maxMs: 1234,
      leftOut: none,
      timings: { queue_wait: 80 },
      firstOutput: { count: 1, averageMs: 250, p50Ms: 250, p95Ms: 250 },
    },
    {
      step: 'gpt',
      count: 3,
      averageMs: 3567,
      minMs: 3567,
      maxMs: 3567,
      leftOut: { tooLong: 0, notCompleted: 1 },
      timings: {},
    },
    { step: 'tts', count: 3, averageMs: 1456, minMs: 1456, maxMs: 1456, leftOut: none, timings: {} },
    { step: 'response', count: 3, averageMs: 457, minMs: 457, maxMs: 457, leftOut: none, timings: {} },
  ]);
});

test('a step with nothing left to count is listed without an average', async () => {
  const source = new MemorySource(
    recordConversation({
      conversationId: 'endless',
      startTime: '2025-10-08T10:00:00Z',
      steps: [{ step: 'gpt', offsetMs: 0, durationMs: 60_000 }],
    }),
  );
  const leftOut = { tooLong: 1, notCompleted: 0 };
  expect((await averages(source, asked)).data).toEqual([{ step: 'gpt', count: 0, leftOut, timings: {} }]);
  const { data, coverage } = await percentiles(source, { ...asked, step: 'gpt' });
  expect(data).toEqual({ step: 'gpt', count: 0, leftOut, percentiles: {} });
  expect(coverage.warnings).toEqual([]);
});

test('percentiles interpolate between the sorted durations', async () => {
  const source = new MemorySource(
    [400, 100, 300, 200, 500].flatMap((durationMs) =>
      recordConversation({
        conversationId: `took ${durationMs}`,
        startTime: '2025-10-08T10:00:00Z',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs }],
      }),
    ),
  );
  const { data } = await percentiles(source, { ...asked, step: 'gpt' });
  expect(data.count).toBe(5);
  const expected = { p10: 140, p25: 200, p50: 300, p75: 400, p90: 460, p95: 480, p99: 496 };
  for (const [name, value] of Object.entries(expected)) {
    expect([name, data.percentiles[name as keyof typeof expected]]).toEqual([name, expect.closeTo(value, 6)]);
  }
});

test('a percentile lies between two of the durations in 95 % of samples, or has no end where they are too few', async () => {
  const of = async (count: number): Promise<StepPercentiles['intervals']> => {
    const durations = Array.from({ length: count }, (_none, index) => ((index * 7919) % count) + 1);
    const spans = durations.flatMap((durationMs) =>
      recordConversation({
        conversationId: `took ${durationMs}`,
        startTime: '2025-10-08T10:00:00Z',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs }],
      }),
    );
    return (await percentiles(new MemorySource(spans), { ...asked, step: 'gpt' })).data.intervals;
  };
  // The i-th smallest duration is i ms. Conover, Practical Nonparametric Statistics, table of the median: 40 and 61 at 96 %.
  // Without one end, 95 % are left; of two ends that are as likely, it is the low one.
  const hundred = await of(100);
  expect(hundred!.p50).toEqual([expect.closeTo(41, 6), expect.closeTo(61, 6)]);
  expect(hundred!.p99).toEqual([expect.closeTo(97, 6), null]);
  // One value is below P99 in 99 % of samples; of the others it says nothing.
  expect(await of(1)).toEqual({
    ...Object.fromEntries(['p10', 'p25', 'p50', 'p75', 'p90', 'p95'].map((name) => [name, [null, null]])),
    p99: [1, null],
  });
});

test('that the response latency has no first output is said, not that it was never seen alone', async () => {
  const { coverage } = await percentiles(exampleConversations(), {
    ...asked,
    step: 'response latency',
    of: 'first-output',
  });
  expect(coverage.warnings.map(({ text }) => text)).toEqual([
    'no step "response latency" was seen in the window, and the response latency of conversations has no first output',
  ]);
});

test('percentiles of a step never seen are empty, and a warning says so', async () => {
  const { data, coverage } = await percentiles(exampleConversations(), { ...asked, step: 'gtp' });
  expect(data).toEqual({ step: 'gtp', count: 0, leftOut: { tooLong: 0, notCompleted: 0 }, percentiles: {} });
  expect(coverage.complete).toBe(true);
  expect(coverage.warnings).toEqual([
    {
      code: 'step-never-seen',
      text: 'no step "gtp" was seen in the window; "averages" lists the steps there are',
    },
  ]);
});

test('errors and success are rates of all spans of a step', async () => {
  const source = exampleConversations();
  const never = { retried: 0, finalFailures: 0, finalErrorRatePct: 0 };
  expect((await errors(source, asked)).data).toEqual([
    { step: 'request', total: 4, failures: 0, errorRatePct: 0, interval: [0, 48.99], ...never },
    { step: 'stt', total: 4, failures: 0, errorRatePct: 0, interval: [0, 48.99], ...never },
    {
      step: 'gpt',
      total: 4,
      failures: 1,
      errorRatePct: 25,
      interval: [4.56, 69.94],
      retried: 0,
      finalFailures: 1,
      finalErrorRatePct: 25,
    },
    { step: 'tts', total: 3, failures: 0, errorRatePct: 0, interval: [0, 56.15], ...never },
    { step: 'response', total: 3, failures: 0, errorRatePct: 0, interval: [0, 56.15], ...never },
  ]);
  expect((await success(source, asked)).data[2]).toEqual({
    step: 'gpt',
    total: 4,
    completed: 3,
    successRatePct: 75,
    interval: [30.06, 95.44],
    retried: 0,
    finalSuccessRatePct: 75,
  });
});

test('an interrupted step is neither a failure nor a success', async () => {
  const source = new MemorySource(
    (['completed', 'interrupted', 'timed_out'] as const).flatMap((outcome) =>
      recordConversation({
        conversationId: outcome,
        startTime: '2025-10-08T10:00:00Z',
        steps: [{ step: 'tts', offsetMs: 0, durationMs: 10, outcome }],
      }),
    ),
  );
  expect((await errors(source, asked)).data[0]).toMatchObject({ total: 3, failures: 1, errorRatePct: 33.33 });
  expect((await success(source, asked)).data[0]).toMatchObject({ total: 3, completed: 1, successRatePct: 33.33 });
});

test('common errors name the latest conversation, and leave out what is unknown', async () => {
  const failing = (conversationId: string, minute: string, error: object): ReturnType<typeof recordConversation> =>
    recordConversation({
      conversationId,
      startTime: `2025-10-08T10:${minute}:00Z`,
      outcome: 'failed',
      steps: [{ step: 'gpt', offsetMs: 0, durationMs: 10, outcome: 'failed', ...error }],
    });
  const source = new MemorySource([
    ...failing('silent', '09', {}),
    ...failing('second', '02', { errorType: 'RateLimit', errorMessage: 'slow down' }),
    ...failing('first', '01', { errorType: 'RateLimit', errorMessage: 'slow down' }),
  ]);
  const { command, data } = await commonErrors(source, asked);
  expect(command).toBe('common-errors');
  expect(data).toEqual([
    {
      step: 'gpt',
      errorType: 'RateLimit',
      pattern: 'slow down',
      message: 'slow down',
      count: 2,
      lastSeen: '2025-10-08T10:02:00.000000Z',
      conversationId: 'second',
    },
    { step: 'gpt', count: 1, lastSeen: '2025-10-08T10:09:00.000000Z', conversationId: 'silent' },
  ]);
  expect((await commonErrors(source, { ...asked, limit: 1 })).data).toHaveLength(1);
});

test('filters choose conversations', async () => {
  const { data } = await errors(exampleConversations(), { ...asked, filters: { outcome: 'failed' } });
  expect(data.map(({ step, total }) => [step, total])).toEqual([
    ['request', 1],
    ['stt', 1],
    ['gpt', 1],
  ]);
});

import { expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { rootSpan, stepSpan } from '../span-builders.ts';
import { OCTOBER_8 } from './asking.ts';
import type { Asking } from './asking.ts';

/** What failed, what was retried, and why. */
export function describeFailures(asking: Asking): void {
  test('groups failures by step, type and message, the most frequent first, then the latest', async () => {
    const failed = (id: string, start: string, facts: Partial<SpanRecord>): SpanRecord =>
      stepSpan('gpt', { id, start, ms: 10, outcome: 'failed', ...facts });
    const spans = [
      failed('first', '2025-10-08T10:00:00Z', { errorType: 'RateLimit', errorMessage: 'slow down' }),
      failed('second', '2025-10-08T11:00:00Z', { errorType: 'RateLimit', errorMessage: 'slow down' }),
      failed('third', '2025-10-08T12:00:00Z', { errorType: 'RateLimit' }),
      failed('fourth', '2025-10-08T13:00:00Z', { outcome: 'abandoned', errorType: 'abandoned' }),
      failed('fifth', '2025-10-08T14:00:00Z', { outcome: 'interrupted' }),
    ];
    const { data } = await asking(spans, (source) =>
      source.ask({ name: 'common-errors', window: OCTOBER_8, limit: 2 }),
    );
    expect(data).toEqual([
      {
        step: 'gpt',
        errorType: 'RateLimit',
        pattern: 'slow down',
        message: 'slow down',
        count: 2,
        lastSeenUnixNano: parseInstant('2025-10-08T11:00:00Z'),
        conversationId: 'second',
      },
      {
        step: 'gpt',
        errorType: 'abandoned',
        count: 1,
        lastSeenUnixNano: parseInstant('2025-10-08T13:00:00Z'),
        conversationId: 'fourth',
      },
    ]);
    const withoutIds = await asking(spans, (source) =>
      source.ask({ name: 'common-errors', window: OCTOBER_8, limit: 2, conversationIds: false }),
    );
    expect(withoutIds.data).toEqual(
      data.map((error, index) => ({ ...error, conversationId: traceIdOf(['second', 'fourth'][index]!) })),
    );
  });

  test('counts failures that were retried, each by one retry', async () => {
    const attempt = (start: string, outcome: SpanRecord['outcome'], attempt?: number): SpanRecord =>
      stepSpan('gpt', {
        start: `2025-10-08T12:00:0${start}Z`,
        ms: 100,
        outcome,
        ...(attempt !== undefined && { attempt }),
      });
    const spans = [
      attempt('0', 'failed'),
      attempt('1', 'timed_out', 2),
      attempt('2', 'completed', 3),
      // Two calls at once: the retry is that of the later one.
      attempt('3', 'failed'),
      attempt('4', 'failed'),
      attempt('5', 'completed', 2),
      // A retry before everything, and one of an attempt that nobody saw.
      attempt('6', 'failed', 5),
      stepSpan('gpt', { id: 'other', start: '2025-10-08T12:00:00Z', ms: 1, attempt: 2 }),
      rootSpan({ start: '2025-10-08T12:00:00Z', ms: 9000, outcome: 'failed' }),
    ];
    const [statistics, conversations] = await asking(
      spans,
      async (source) =>
        [
          await source.ask({ name: 'step-statistics', window: OCTOBER_8 }),
          await source.ask({
            name: 'conversations',
            window: OCTOBER_8,
            order: 'newest',
            limit: 1,
            filters: { outcome: 'failed' },
          }),
        ] as const,
    );
    expect(statistics.data).toMatchObject([{ total: 8, failures: 5, retried: 3, finalFailures: 2 }]);
    expect(conversations.data).toMatchObject([{ failedStep: 'gpt', outcome: 'failed' }]);
  });

  test('of attempts that start at one time, the one with the larger span id is retried', async () => {
    const attempt = (step: string, digit: string, outcome: SpanRecord['outcome']): SpanRecord =>
      stepSpan(step, { start: '2025-10-08T12:00:00Z', ms: 100, outcome, spanId: digit.repeat(16) });
    const retry = (step: string): SpanRecord =>
      stepSpan(step, { start: '2025-10-08T12:00:01Z', ms: 100, outcome: 'completed', attempt: 2 });
    const spans = [
      attempt('gpt', '1', 'failed'),
      attempt('gpt', '2', 'interrupted'),
      retry('gpt'),
      attempt('tts', '3', 'interrupted'),
      attempt('tts', '4', 'failed'),
      retry('tts'),
    ];
    const { data } = await asking(spans, (source) => source.ask({ name: 'step-statistics', window: OCTOBER_8 }));
    expect(data).toMatchObject([
      { step: 'gpt', failures: 1, retried: 1, finalFailures: 1 },
      { step: 'tts', failures: 1, retried: 1, finalFailures: 0 },
    ]);
  });

  test('groups messages that differ in what changes from one failure to the next', async () => {
    const messages = [
      'Rate limit of 3,000 tokens reached for "gpt-4o", try in 1.5s',
      'Rate limit of 90 tokens reached for "small", try in 20s',
      "can't reach https://a.example:8080/x?y=1 for bob@example.org",
      "can't reach http://b.example/z for alice+x@mail.example.org",
      'job 3f2b8a1c-0000-4000-8000-1234567890ab of 00ff00ff00 is deadbeef',
      'job AAAABBBB-CCCC-dddd-EEEE-ffff00001111 of abcdefabcd1 is deadbeef',
    ];
    const spans = messages.map((errorMessage, index) =>
      stepSpan('gpt', { id: `${index}`, start: `2025-10-08T12:00:0${index}Z`, ms: 1, outcome: 'failed', errorMessage }),
    );
    const { data } = await asking(spans, (source) =>
      source.ask({ name: 'common-errors', window: OCTOBER_8, limit: 9 }),
    );
    expect(data.map(({ pattern, message, count }) => [pattern, message, count])).toEqual([
      ['job … of … is deadbeef', messages[5], 2],
      ["can't reach … for …", messages[3], 2],
      ['Rate limit of … tokens reached for …, try in …s', messages[1], 2],
    ]);
  });
}

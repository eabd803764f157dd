import { describe, expect, test } from '@jest/globals';
import { parseInstant } from '@convotel/query';
import { decodeQuestion, encodeQuestion, QuestionFormatError } from '@convotel/query/engine';
import type { AnyQuestion } from '@convotel/query';

const WINDOW = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00.123456789Z'),
};
const ODD = `a&b=c#d?e %2F+ä👋'"\u0000\n`;

const QUESTIONS: AnyQuestion[] = [
  { name: 'conversation', conversationId: '20251008_143022_a1b2c3d4' },
  { name: 'conversation', conversationId: ODD },
  { name: 'conversation', conversationId: '' },
  { name: 'conversations', order: 'newest', limit: 10 },
  {
    name: 'conversations',
    window: WINDOW,
    filters: { service: ODD, workflow: '', session: 'caller', outcome: 'open' },
    order: 'slowest',
    limit: 10_000,
    aboveNano: 8_000_000_000n,
  },
  { name: 'step-statistics', window: WINDOW },
  { name: 'step-statistics', window: WINDOW, step: ODD, quantiles: [0, 0.1, 0.999, 1e-7, 1] },
  { name: 'step-statistics', window: WINDOW, timings: false, firstOutput: true },
  { name: 'step-statistics', window: WINDOW, quantiles: [0.5], durationQuantiles: false, firstOutput: true },
  { name: 'conversations', order: 'slowest-response', limit: 1, aboveNano: 0n },
  { name: 'step-statistics', window: WINDOW, timings: true },
  { name: 'conversation-counts', window: WINDOW, by: 'hour', timeZone: 'Asia/Kolkata' },
  { name: 'conversation-counts', window: WINDOW, filters: { outcome: 'timed_out' }, by: 'hourOfDay', timeZone: 'UTC' },
  { name: 'common-errors', window: WINDOW, limit: 1 },
  { name: 'common-errors', window: WINDOW, limit: 1, conversationIds: false, coverage: false },
  { name: 'step-statistics', window: WINDOW, quantiles: [0.5], quantileIntervals: true },
  { name: 'response-statistics', window: WINDOW, quantiles: [0.5], quantileIntervals: true, coverage: false },
  { name: 'response-statistics', window: WINDOW, filters: { workflow: ODD }, quantiles: [0.95] },
  { name: 'step-durations', window: WINDOW, filters: { session: ODD } },
  { name: 'step-durations', window: WINDOW, groupBy: { attribute: ODD, values: [] }, traits: true },
  { name: 'step-statistics', window: WINDOW, groupBy: { attribute: 'service.version', values: ['1.4', ODD, ''] } },
  { name: 'attribute-values', window: WINDOW, attribute: ODD, step: ODD, limit: 10 },
];

function decode(pathAndQuery: string): AnyQuestion {
  return decodeQuestion(new URL(pathAndQuery, 'http://127.0.0.1:4318'));
}

describe('a question in a URL', () => {
  test.each(QUESTIONS)('comes out as it went in: %j', (question) => {
    expect(decode(encodeQuestion(question))).toEqual(question);
  });

  test('can be read in a browser', () => {
    expect(encodeQuestion({ name: 'step-statistics', window: WINDOW, step: 'gpt', quantiles: [0.5] })).toBe(
      '/api/v1/step-statistics?since=2025-10-08T00:00:00.000000000Z&until=2025-10-09T00:00:00.123456789Z&step=gpt&quantile=0.5',
    );
  });

  const window = 'since=2025-10-08T00:00:00Z&until=2025-10-09T00:00:00Z';
  test.each([
    ['/api/v2/conversation?id=x', 'questions start with /api/v1/'],
    ['/api/v1/satisfaction', 'there is no question "satisfaction"'],
    ['/api/v1/conversation', 'parameter id is missing'],
    ['/api/v1/conversation?id=x&id=y', 'parameter id is given 2 times'],
    ['/api/v1/conversation?id=x&window=all', 'parameter window is unknown here'],
    ['/api/v1/conversations?order=newest&limit=0', 'parameter limit: "0" is not a whole number from 1 to 10000'],
    ['/api/v1/conversations?order=newest&limit=10001', 'parameter limit: "10001" is not a whole number'],
    ['/api/v1/conversations?order=newest&limit=1e3', 'parameter limit: "1e3" is not a whole number'],
    ['/api/v1/conversations?order=newest&limit=-1', 'parameter limit: "-1" is not a whole number'],
    ['/api/v1/conversations?order=oldest&limit=1', 'parameter order: "oldest" is not one of newest, longest, slowest'],
    [`/api/v1/step-statistics?${window}&timings=no`, 'parameter timings: "no" is not one of true, false'],
    ['/api/v1/conversations?order=newest&limit=1&since=2025-10-08T00:00:00Z', 'parameter until is missing'],
    ['/api/v1/conversations?order=newest&limit=1&aboveNano=1.5', 'parameter aboveNano: "1.5"'],
    ['/api/v1/step-durations', 'parameter since is missing'],
    ['/api/v1/step-durations?since=yesterday&until=now', 'parameter since: "yesterday" is not an RFC 3339 time'],
    [`/api/v1/step-durations?${window}&outcome=great`, 'parameter outcome: "great" is not one of'],
    [`/api/v1/step-durations?${window}&limit=1`, 'parameter limit is unknown here'],
    [`/api/v1/step-statistics?${window}&quantile=1.01`, 'parameter quantile: "1.01" is not a number from 0 to 1'],
    [`/api/v1/step-statistics?${window}&quantile=`, 'parameter quantile: "" is not a number from 0 to 1'],
    [`/api/v1/step-statistics?${window}${'&quantile=0.5'.repeat(101)}`, 'parameter quantile is given more than 100'],
    [`/api/v1/step-statistics?${window}&group=1.4`, 'parameter group is given without groupBy'],
    [`/api/v1/step-durations?${window}&groupBy=a${'&group=b'.repeat(21)}`, 'parameter group is given more than 20'],
    [`/api/v1/conversation-counts?${window}&by=day&timeZone=UTC`, 'parameter by: "day" is not one of hour, hourOfDay'],
    [`/api/v1/conversation-counts?${window}&by=hour&timeZone=Mars`, 'parameter timeZone: "Mars" is not a time zone'],
  ])('is refused with the reason: %s', (url, reason) => {
    expect(() => decode(url)).toThrow(QuestionFormatError);
    expect(() => decode(url)).toThrow(reason);
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import { JaegerSource, MemorySource } from '@convotel/query';
import type { JaegerSourceOptions, SpanRecord, Window } from '@convotel/query';
import { rootSpan, stepSpan } from '@convotel/suite';
import { JaegerStandIn } from './jaeger-stand-in.ts';
import type { StandInTraits } from './jaeger-stand-in.ts';

const NOW = new Date('2025-10-08T12:00:00Z');
const OCTOBER_8: Window = window('2025-10-08T00:00:00Z', '2025-10-09T00:00:00Z');
const STATISTICS = { window: OCTOBER_8 };

let standIn: JaegerStandIn;
afterEach(async () => {
  await standIn.stop();
});

async function open(
  spans: readonly SpanRecord[],
  options: JaegerSourceOptions = {},
  traits: StandInTraits = {},
): Promise<JaegerSource> {
  standIn = await JaegerStandIn.start(spans, traits);
  return new JaegerSource(standIn.address, { clock: () => NOW, ...options });
}

function window(since: string, until: string): Window {
  return { sinceUnixNano: nano(since), untilUnixNano: nano(until) };
}

function nano(time: string): bigint {
  return BigInt(Date.parse(time)) * 1_000_000n;
}

/** `count` conversations of one step, this far apart. */
function conversations(count: number, start: string, apartMs: number): SpanRecord[] {
  return Array.from({ length: count }, (_, index) =>
    stepSpan('gpt', {
      id: `${start} ${index}`,
      start: new Date(Date.parse(start) + index * apartMs).toISOString(),
      ms: 100,
    }),
  );
}

/** What each search asked for: the span of time in ms, and how many traces. */
function searchesSeen(): { widthMs: number; depth: number }[] {
  return standIn.searches.map(({ parameters }) => ({
    widthMs: Math.ceil(
      Date.parse(parameters.get('query.start_time_max')!) - Date.parse(parameters.get('query.start_time_min')!),
    ),
    depth: Number(parameters.get('query.num_traces')),
  }));
}

describe('a window', () => {
  test('is one search, in both forms of the parameters, both bounds counted in, raw', async () => {
    const source = await open(conversations(3, '2025-10-08T11:00:00Z', 1000));
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 3, spans: 3, complete: true, warnings: [] });
    expect(standIn.seen).toHaveLength(1);
    expect(standIn.seen[0]!.headers['accept-encoding']).toBe('identity');
    expect(Object.fromEntries(standIn.seen[0]!.parameters)).toEqual({
      'query.start_time_min': '2025-10-08T00:00:00.000000000Z',
      'query.startTimeMin': '2025-10-08T00:00:00.000000000Z',
      'query.start_time_max': '2025-10-08T23:59:59.999999999Z',
      'query.startTimeMax': '2025-10-08T23:59:59.999999999Z',
      'query.num_traces': '500',
      'query.search_depth': '500',
      'query.searchDepth': '500',
      'query.raw_traces': 'true',
      'query.rawTraces': 'true',
    });
  });

  test('is read once for all questions of a command, and again ten seconds later', async () => {
    let nowMs = NOW.getTime();
    const source = await open(conversations(3, '2025-10-08T11:00:00Z', 1000), { clock: () => new Date(nowMs) });
    await Promise.all([
      source.ask({ name: 'step-statistics', ...STATISTICS }),
      source.ask({ name: 'step-durations', ...STATISTICS }),
    ]);
    nowMs += 10_000;
    await source.ask({ name: 'common-errors', ...STATISTICS, limit: 1 });
    expect(standIn.seen).toHaveLength(1);
    nowMs += 1;
    await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(standIn.seen).toHaveLength(2);
  });

  test('that is empty asks nobody', async () => {
    const source = await open([]);
    const { coverage } = await source.ask({
      name: 'step-statistics',
      window: window('2025-10-08T00:00:00Z', '2025-10-08T00:00:00Z'),
    });
    expect(coverage).toEqual({ conversations: 0, spans: 0, complete: true, warnings: [] });
    expect(standIn.seen).toEqual([]);
  });

  test('counts whole conversations, of which only a step lies in it', async () => {
    const spans = [
      stepSpan('stt', { start: '2025-10-07T23:59:59Z', ms: 1000 }),
      stepSpan('gpt', { start: '2025-10-08T00:00:00Z', ms: 1000 }),
      stepSpan('stt', { id: 'two', start: '2025-10-08T23:59:59Z', ms: 1000 }),
      stepSpan('gpt', { id: 'two', start: '2025-10-09T00:00:00Z', ms: 3000 }),
    ];
    const source = await open(spans);
    const { data } = await source.ask({ name: 'conversations', window: OCTOBER_8, order: 'newest', limit: 10 });
    expect(data.map(({ conversationId, stepSumNano }) => [conversationId, stepSumNano])).toEqual([
      ['two', 4_000_000_000n],
    ]);
    const statistics = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(statistics.data.map(({ step, total }) => [step, total])).toEqual([
      ['stt', 1],
      ['gpt', 1],
    ]);
  });

  test.each(['newest', 'oldest'] as const)('with more than a search answers is cut, %s first', async (choice) => {
    const spans = conversations(700, '2025-10-08T03:00:00Z', 5_000);
    const source = await open(spans, { searchDepth: 20 }, { choice });
    const { data, coverage } = await source.ask({ name: 'step-durations', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 700, spans: 700, complete: true, warnings: [] });
    expect(data).toEqual((await new MemorySource(spans).ask({ name: 'step-durations', ...STATISTICS })).data);
    expect(standIn.searches.length).toBeGreaterThan(35);
    expect(standIn.searches.every(({ parameters }) => parameters.get('query.num_traces') === '20')).toBe(true);
  });

  test('with even traffic is cut so that few answers are full', async () => {
    const source = await open(conversations(5_000, '2025-10-08T00:00:00Z', 17_000), { searchDepth: 250 });
    await source.ask({ name: 'step-statistics', ...STATISTICS });
    // 34 parts for 5,000 traces at 60 % of 250 each, and the search that was cut.
    expect(standIn.searches.length).toBeLessThanOrEqual(36);
  });

  test('has more within a millisecond: a search may answer with more, then', async () => {
    const spans = conversations(50, '2025-10-08T03:00:00Z', 0);
    const source = await open(spans, { searchDepth: 8 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 50, spans: 50, complete: true, warnings: [] });
    const seen = searchesSeen();
    expect(seen.filter(({ depth }) => depth > 8).map(({ depth }) => depth)).toEqual([16, 32, 64]);
    expect(seen.filter(({ depth }) => depth > 8).every(({ widthMs }) => widthMs <= 1)).toBe(true);
  });

  test('has more within a millisecond than the server answers with: then it says so', async () => {
    const spans = conversations(50, '2025-10-08T03:00:00Z', 0);
    const source = await open(spans, { searchDepth: 8 }, { maxDepth: 40 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toMatchObject({ conversations: 40, spans: 40, complete: false });
    expect(coverage.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^The time from 2025-10-08T0[^ ]+Z to 2025-10-08T0[^ ]+Z has more than 40 traces, the most .* were not read\.$/,
      ),
    ]);
  });

  test('is asked for with as many traces as the server allows', async () => {
    const spans = conversations(40, '2025-10-08T03:00:00Z', 60_000);
    const source = await open(spans, { searchDepth: 2000 }, { maxDepth: 30 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 40, spans: 40, complete: true, warnings: [] });
  });

  test('with longer answers than are taken is asked for in parts', async () => {
    const spans = conversations(100, '2025-10-08T03:00:00Z', 60_000);
    const source = await open(spans, { maxAnswerBytes: 5_000 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 100, spans: 100, complete: true, warnings: [] });
    expect(standIn.searches.length).toBeGreaterThan(20);
  });

  test('with a longer answer within a millisecond is read without that, and says so', async () => {
    const source = await open(conversations(100, '2025-10-08T03:00:00Z', 0), { maxAnswerBytes: 5_000 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toMatchObject({ spans: 0, complete: false });
    expect(coverage.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/has more traces than fit into one response; they were not read/),
    ]);
  });

  test('with more spans than may be kept is read in part, and says which part was not', async () => {
    const source = await open(conversations(700, '2025-10-08T00:00:00Z', 60_000), { searchDepth: 50, maxSpans: 300 });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage.complete).toBe(false);
    expect(coverage.spans).toBeGreaterThanOrEqual(300);
    expect(coverage.spans).toBeLessThan(700);
    expect(coverage.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^The time from 2025-10-08T.* was not read completely: the limit of \d+ spans was/),
    ]);
  });
});

test('takes back the nanosecond and the service name that Jaeger gives to spans without one', async () => {
  const spans = [
    stepSpan('stt', { start: '2025-10-08T10:00:00Z', ms: 0 }),
    stepSpan('gpt', { start: '2025-10-08T10:00:01Z', ms: 0, durationNano: 1n }),
  ];
  const source = await open(spans);
  const { data } = await source.ask({ name: 'conversations', window: OCTOBER_8, order: 'newest', limit: 1 });
  expect(data).toMatchObject([{ stepSumNano: 1n, stepCount: 2 }]);
  const one = await source.ask({ name: 'conversation', conversationId: 'one' });
  expect(one.data.spans.map(({ durationNano }) => durationNano)).toEqual([0n, 1n]);
  expect(one.data.spans.map(({ serviceName }) => serviceName)).toEqual([undefined, undefined]);
});

describe('services', () => {
  const spans = [
    stepSpan('stt', { start: '2025-10-08T10:00:00Z', ms: 10, serviceName: 'ears' }),
    stepSpan('gpt', { start: '2025-10-08T10:00:01Z', ms: 10, serviceName: 'brain' }),
    stepSpan('gpt', { id: 'two', start: '2025-10-08T10:00:01Z', ms: 10 }),
  ];

  test('are gone through one by one where a storage searches by service only, each span counted once', async () => {
    const source = await open(spans, {}, { needsServiceName: true });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 2, spans: 3, complete: true, warnings: [] });
    await source.ask({ name: 'step-statistics', window: window('2025-10-08T09:00:00Z', '2025-10-08T11:00:00Z') });
    const services = standIn.searches.map(({ parameters }) => parameters.get('query.service_name') ?? 'all');
    // What the first search has taught is not asked again.
    expect(services.slice(0, 1)).toEqual(['all']);
    expect(services.slice(1).sort()).toEqual([
      'brain',
      'brain',
      'ears',
      'ears',
      'missing-service-name',
      'missing-service-name',
    ]);
  });

  test('that share traces do not make them count, or be kept, more than once', async () => {
    const shared = ['ears', 'brain', 'mouth'].flatMap((serviceName) =>
      Array.from({ length: 10 }, (_, index) =>
        stepSpan(serviceName, { id: `${index}`, start: '2025-10-08T10:00:00Z', ms: 10, serviceName }),
      ),
    );
    const source = await open(shared, { concurrency: 1, maxSpans: 31 }, { needsServiceName: true });
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    expect(coverage).toEqual({ conversations: 10, spans: 30, complete: true, warnings: [] });
  });

  test('asked for by name are searched for alone, an hour around the window', async () => {
    const source = await open(spans);
    const cut = window('2025-10-08T10:00:01Z', '2025-10-08T11:00:00Z');
    const { data } = await source.ask({ name: 'step-statistics', window: cut, filters: { service: 'ears' } });
    expect(data.map(({ step, total }) => [step, total])).toEqual([['gpt', 1]]);
    expect(standIn.searches.map(({ parameters }) => [...parameters.getAll('query.service_name')])).toEqual([['ears']]);
    expect(standIn.searches[0]!.parameters.get('query.start_time_min')).toBe('2025-10-08T09:00:01.000000000Z');
  });
});

describe('without a window', () => {
  const spans = [
    ...conversations(2, '2025-10-08T11:30:00Z', 1000),
    ...conversations(2, '2025-10-08T01:00:00Z', 1000),
    ...conversations(2, '2025-09-20T01:00:00Z', 1000),
    ...conversations(2, '2025-08-01T01:00:00Z', 1000),
  ];
  const startsOf = async (source: JaegerSource, limit: number): Promise<[number, boolean, string[], number]> => {
    const { data, coverage } = await source.ask({ name: 'conversations', order: 'newest', limit });
    return [data.length, coverage.complete, coverage.warnings.map(({ text }) => text), standIn.searches.length];
  };

  test('looks back an hour, a day, a week and a month until there is enough, each stretch once', async () => {
    expect(await startsOf(await open(spans), 2)).toEqual([2, true, [], 1]);
    await standIn.stop();
    expect(await startsOf(await open(spans), 3)).toEqual([3, true, [], 2]);
    expect(searchesSeen().map(({ widthMs }) => Math.round(widthMs / 3_600_000))).toEqual([2, 23]);
    await standIn.stop();
    expect(await startsOf(await open(spans), 5)).toEqual([5, true, [], 4]);
  });

  test('says how far back it looked when there is not enough', async () => {
    expect(await startsOf(await open(spans), 7)).toEqual([
      6,
      false,
      ['Searched only the last 30 days, back to 2025-09-08T12:00:00Z; to include earlier times, ask with a window.'],
      4,
    ]);
  });
});

describe('one conversation', () => {
  const texts = { inputText: 'Hello', outputText: 'Hi' };

  test('is one look-up by the derived trace id, texts included', async () => {
    const source = await open([stepSpan('gpt', { start: '2025-10-01T10:00:00Z', ms: 10, ...texts })]);
    const { data, coverage } = await source.ask({ name: 'conversation', conversationId: 'one' });
    expect(data.spans).toMatchObject([{ step: 'gpt', ...texts }]);
    expect(coverage).toEqual({ conversations: 1, spans: 1, complete: true, warnings: [] });
    expect(standIn.seen.map(({ path }) => path)).toEqual([expect.stringMatching(/^\/api\/v3\/traces\/[0-9a-f]{32}$/)]);
  });

  test('that is longer than an answer may be is refused', async () => {
    const spans = Array.from({ length: 50 }, () => stepSpan('gpt', { start: '2025-10-01T10:00:00Z', ms: 10 }));
    const source = await open(spans, { maxAnswerBytes: 5_000 });
    await expect(source.ask({ name: 'conversation', conversationId: 'one' })).rejects.toMatchObject({
      name: 'SourceError',
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(/sent more than 5000 bytes\. Is one trace id used for everything/),
    });
  });

  test('a search that is answered with too much however short the time is gives up', async () => {
    const source = await open([stepSpan('gpt', { start: '2025-10-08T10:00:00Z', ms: 10 })], { maxAnswerBytes: 10 });
    await expect(source.ask({ name: 'conversations', order: 'newest', limit: 10 })).rejects.toMatchObject({
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(
        /was asked to search and sent more than 10 bytes, even for the shortest time range/,
      ),
    });
    expect(standIn.seen.length).toBeLessThan(50);
  });

  test('is two look-ups by its trace id in hex', async () => {
    const traceId = 'ab'.repeat(16);
    const source = await open([stepSpan('gpt', { traceId, start: '2025-10-01T10:00:00Z', ms: 10 })]);
    expect((await source.ask({ name: 'conversation', conversationId: traceId.toUpperCase() })).data.spans).toHaveLength(
      1,
    );
    expect(standIn.seen).toHaveLength(2);
  });

  test('with a random trace id is found by reading back, and says so', async () => {
    const source = await open([
      stepSpan('gpt', { traceId: 'a'.repeat(32), start: '2025-10-08T09:00:00Z', ms: 10, ...texts }),
      ...conversations(20, '2025-10-08T08:00:00Z', 1000),
    ]);
    const { data, coverage } = await source.ask({ name: 'conversation', conversationId: 'one' });
    expect(data).toMatchObject({ spans: [{ traceId: 'a'.repeat(32), ...texts }], otherTraceIds: [] });
    expect(coverage).toEqual({
      conversations: 1,
      spans: 1,
      complete: true,
      warnings: [
        {
          code: 'found-by-reading',
          text: 'The trace id is not derived from the conversation id; the trace was found by reading 1 day, back to 2025-10-07T12:00:00Z.',
        },
      ],
    });
  });

  test('that nobody had within a month is not there, and the answer says how far it looked', async () => {
    const source = await open(conversations(20, '2025-10-08T08:00:00Z', 1000));
    const { data, coverage } = await source.ask({ name: 'conversation', conversationId: 'nobody' });
    expect(data).toEqual({ spans: [], otherTraceIds: [] });
    expect(coverage).toMatchObject({
      complete: false,
      warnings: [{ code: 'looked-back', text: expect.stringMatching(/30 days, back to/) }],
    });
  });
});

describe('conversations at work just now', () => {
  const ended = (secondsAgo: number): string => new Date(NOW.getTime() - secondsAgo * 1000 - 100).toISOString();
  const warningsOf = async (spans: SpanRecord[]): Promise<string[]> => {
    const source = await open(spans);
    const { coverage } = await source.ask({ name: 'step-statistics', ...STATISTICS });
    return coverage.warnings.map(({ text }) => text);
  };

  test('are warned of while they have no root', async () => {
    const spans = [
      stepSpan('gpt', { start: ended(9), ms: 100 }),
      stepSpan('gpt', { id: 'two', start: ended(1), ms: 100 }),
    ];
    expect(await warningsOf(spans)).toEqual(['2 conversations were active less than 10 s ago, and may be incomplete.']);
  });

  test('are not warned of with a root, or ten seconds later', async () => {
    expect(await warningsOf([stepSpan('gpt', { start: ended(10), ms: 100 })])).toEqual([]);
    await standIn.stop();
    const spans = [stepSpan('gpt', { start: ended(1), ms: 100 }), rootSpan({ start: ended(1), ms: 100 })];
    expect(await warningsOf(spans)).toEqual([]);
  });
});

test.each([
  [{ searchDepth: 0 }, /searchDepth must be a whole number above 0, got 0/],
  [{ timeoutMs: 1.5 }, /timeoutMs must be a whole number/],
  [{ settleMs: -1 }, /settleMs must be a number of at least 0/],
  [{ lookBackMs: [] }, /lookBackMs must be numbers above 0, the shortest first/],
  [{ lookBackMs: [2, 1] }, /lookBackMs/],
])('refuses the options %j', async (options, message) => {
  standIn = await JaegerStandIn.start([]);
  expect(() => new JaegerSource(standIn.address, options)).toThrow(message);
});

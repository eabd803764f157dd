import { describe, expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import { MemorySource, parseInstant } from '@convotel/query';
import type { ConversationFilters, ConversationSource, SpanRecord, Window } from '@convotel/query';
import { differencesBetween } from './differences.ts';
import { foreignSpan, rootSpan, stepSpan } from './span-builders.ts';

const OCTOBER_8: Window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};

/** Cases with every figure worked out by hand. */
export function describeWorkedCases(open: (spans: SpanRecord[]) => Promise<ConversationSource>): void {
  const asking = async <Data>(
    spans: SpanRecord[],
    ask: (source: ConversationSource) => Promise<Data>,
  ): Promise<Data> => {
    const source = await open(spans);
    try {
      return await ask(source);
    } finally {
      await source.close();
    }
  };

  describe('one conversation', () => {
    const spans = [
      stepSpan('stt', { start: '2025-10-08T12:30:22.273456Z', ms: 1234, inputText: '<audio_data>', outputText: 'Hi' }),
      stepSpan('request', { start: '2025-10-08T12:30:22.123456Z', ms: 150 }),
      stepSpan('tts', { start: '2025-10-08T12:30:27.100000Z', ms: 1456, outcome: 'interrupted' }),
      stepSpan('gpt', { start: '2025-10-08T12:30:23.507456Z', ms: 3567, timingsSeconds: { queue_wait: 0.08 } }),
      stepSpan('lookup', { start: '2025-10-08T12:30:24.000000Z', ms: 500, depth: 1 }),
      rootSpan({ start: '2025-10-08T12:30:20Z', ms: 60_000, workflow: 'voice' }),
      foreignSpan({ start: '2025-10-08T12:30:24Z', ms: 90_000 }),
    ];

    test('takes start, end, total and outcome from the right spans', async () => {
      const { data, coverage } = await asking(spans, (source) =>
        source.ask({ name: 'conversations', order: 'newest', limit: 10 }),
      );
      expect(data).toEqual([
        {
          conversationId: 'one',
          traceId: traceIdOf('one'),
          startTimeUnixNano: parseInstant('2025-10-08T12:30:22.123456Z'),
          endTimeUnixNano: parseInstant('2025-10-08T12:30:28.556Z'),
          outcome: 'completed',
          stepCount: 5,
          workflow: 'voice',
          stepSumNano: 6_407_000_000n,
          completedNanoByStep: { request: 150_000_000n, stt: 1_234_000_000n, gpt: 3_567_000_000n },
          interruptedSteps: 1,
          usage: [],
        },
      ]);
      expect(coverage).toEqual({ conversations: 1, spans: 7, complete: true, warnings: [] });
    });

    test('is handed over whole, in order of start', async () => {
      const { data } = await asking(spans, (source) => source.ask({ name: 'conversation', conversationId: 'one' }));
      expect(data.otherTraceIds).toEqual([]);
      expect(data.spans.map(({ name }) => name)).toEqual([
        'conversation',
        'request',
        'stt',
        'gpt',
        expect.stringMatching(/lookup|GET/),
        expect.stringMatching(/lookup|GET/),
        'tts',
      ]);
      const { rest: _rest, ...stt } = data.spans[2]!;
      expect(stt).toEqual(spans[0]);
      expect(data.spans[3]).toMatchObject({ timingsSeconds: { queue_wait: 0.08 } });
    });

    test('is open while its root has not arrived', async () => {
      const { data } = await asking(spans.slice(0, 5), (source) =>
        source.ask({ name: 'conversations', order: 'longest', limit: 1, filters: { outcome: 'open' } }),
      );
      expect(data).toMatchObject([{ outcome: 'open', stepCount: 5 }]);
    });

    test('nobody has', async () => {
      const { data, coverage } = await asking(spans, (source) =>
        source.ask({ name: 'conversation', conversationId: 'two' }),
      );
      expect(data).toEqual({ spans: [], otherTraceIds: [] });
      expect(coverage).toEqual({ conversations: 0, spans: 0, complete: true, warnings: [] });
    });
  });

  test('nothing has been read yet', async () => {
    const answers = await asking([], async (source) => [
      await source.ask({ name: 'conversations', order: 'slowest', limit: 3 }),
      await source.ask({ name: 'step-statistics', window: OCTOBER_8 }),
      await source.ask({ name: 'conversation-counts', window: OCTOBER_8, by: 'hour', timeZone: 'UTC' }),
      await source.ask({ name: 'common-errors', window: OCTOBER_8, limit: 3 }),
    ]);
    const coverage = { conversations: 0, spans: 0, complete: true, warnings: [] };
    expect(answers).toEqual(answers.map(() => ({ data: [], coverage })));
  });

  test('counts completed steps under 60 s, and says what it left out', async () => {
    const spans = [
      ...[100, 400, 200, 300].map((ms) => stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms })),
      stepSpan('gpt', {
        start: '2025-10-08T12:00:00Z',
        ms: 59_999,
        depth: 1,
        timingsSeconds: { generation: 2, wait: 1 },
      }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 60_000 }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 50, outcome: 'timed_out' }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 50, outcome: 'interrupted' }),
      stepSpan('gpt', { start: '2025-10-09T00:00:00Z', ms: 1 }),
    ];
    const { data, coverage } = await asking(spans, (source) =>
      source.ask({ name: 'step-statistics', window: OCTOBER_8, quantiles: [0.5, 0.1, 0.9, 1] }),
    );
    expect(data).toEqual([
      {
        step: 'gpt',
        total: 8,
        completed: 6,
        failures: 1,
        retried: 0,
        finalFailures: 1,
        count: 5,
        averageMs: expect.closeTo(12_199.8),
        minMs: 100,
        maxMs: 59_999,
        outermostMs: expect.closeTo(1000),
        leftOut: { tooLong: 1, notCompleted: 2 },
        timings: { generation: expect.closeTo(2000), wait: expect.closeTo(1000) },
        quantilesMs: [300, 140, 36_159.4, 59_999].map((ms) => expect.closeTo(ms)),
      },
    ]);
    expect(coverage).toEqual({ conversations: 1, spans: 8, complete: true, warnings: [] });
  });

  test('keeps the copy that ends later, then the one not recovered, then the one read last', async () => {
    const start = '2025-10-08T12:00:00Z';
    const copied = (step: string, copies: Partial<SpanRecord>[]): SpanRecord[] => {
      const span = stepSpan(step, { start, ms: 100 });
      return copies.map((copy) => ({ ...span, ...copy }));
    };
    const spans = [
      ...copied('a', [{ durationNano: 300_000_000n, isRecovered: true }, {}]),
      ...copied('b', [{ outcome: 'failed' }, { isRecovered: true }]),
      ...copied('c', [{ isRecovered: true }, { outcome: 'failed' }]),
      ...copied('d', [{}, { outcome: 'failed' }]),
    ];
    const { data, coverage } = await asking(spans, (source) =>
      source.ask({ name: 'step-statistics', window: OCTOBER_8 }),
    );
    expect(data.map(({ step, total, failures, maxMs }) => ({ step, total, failures, maxMs }))).toEqual([
      { step: 'a', total: 1, failures: 0, maxMs: 300 },
      { step: 'b', total: 1, failures: 1, maxMs: undefined },
      { step: 'c', total: 1, failures: 1, maxMs: undefined },
      { step: 'd', total: 1, failures: 1, maxMs: undefined },
    ]);
    expect(coverage.spans).toBe(4);
  });

  test('answers an id of two traces with the derived one, else the newest, and names the others', async () => {
    const other = (traceId: string, start: string): SpanRecord => rootSpan({ start, ms: 1, traceId });
    const spans = [
      other('1'.repeat(32), '2025-10-08T12:00:00Z'),
      rootSpan({ start: '2025-10-08T11:00:00Z', ms: 1 }),
      other('2'.repeat(32), '2025-10-08T13:00:00Z'),
    ];
    const derived = await asking(spans, (source) => source.ask({ name: 'conversation', conversationId: 'one' }));
    expect(derived.data.spans.map(({ traceId }) => traceId)).toEqual([traceIdOf('one')]);
    expect(derived.data.otherTraceIds).toEqual(['2'.repeat(32), '1'.repeat(32)]);

    const [newest, byTraceId] = await asking([spans[0]!, spans[2]!], async (source) => [
      await source.ask({ name: 'conversation', conversationId: 'one' }),
      await source.ask({ name: 'conversation', conversationId: '1'.repeat(32) }),
    ]);
    expect(newest!.data.spans.map(({ traceId }) => traceId)).toEqual(['2'.repeat(32)]);
    expect(newest!.data.otherTraceIds).toEqual(['1'.repeat(32)]);
    expect(byTraceId!.data.spans.map(({ traceId }) => traceId)).toEqual(['1'.repeat(32)]);
  });

  describe('hours', () => {
    const at = (...starts: string[]): SpanRecord[] =>
      starts.map((start, index) => stepSpan('gpt', { id: `at ${index}`, start, ms: 1 }));
    const counts = async (spans: SpanRecord[], by: 'hour' | 'hourOfDay', timeZone: string): Promise<unknown> => {
      const window = { sinceUnixNano: 0n, untilUnixNano: parseInstant('2100-01-01T00:00:00Z') };
      return (await asking(spans, (source) => source.ask({ name: 'conversation-counts', window, by, timeZone }))).data;
    };

    test('begin on the half hour of UTC where the zone is half an hour off', async () => {
      const spans = at('2025-10-08T12:29:59.999Z', '2025-10-08T12:30:00Z', '2025-10-08T13:29:59Z');
      expect(await counts(spans, 'hour', 'Asia/Kolkata')).toEqual([
        { hourUnixNano: parseInstant('2025-10-08T11:30:00Z'), conversations: 1 },
        { hourUnixNano: parseInstant('2025-10-08T12:30:00Z'), conversations: 2 },
      ]);
    });

    test('come twice at the end of summer time, as an hour of the day once', async () => {
      const spans = at('2025-10-26T00:10:00Z', '2025-10-26T01:10:00Z', '2025-10-26T02:10:00Z');
      expect(await counts(spans, 'hour', 'Europe/Berlin')).toEqual([
        { hourUnixNano: parseInstant('2025-10-26T00:00:00Z'), conversations: 1 },
        { hourUnixNano: parseInstant('2025-10-26T01:00:00Z'), conversations: 1 },
        { hourUnixNano: parseInstant('2025-10-26T02:00:00Z'), conversations: 1 },
      ]);
      expect(await counts(spans, 'hourOfDay', 'Europe/Berlin')).toEqual([
        { hourOfDay: 2, conversations: 2 },
        { hourOfDay: 3, conversations: 1 },
      ]);
    });

    test('leave one out at the begin of summer time', async () => {
      const spans = at('2025-03-30T00:59:00Z', '2025-03-30T01:00:00Z');
      expect(await counts(spans, 'hourOfDay', 'Europe/Berlin')).toEqual([
        { hourOfDay: 1, conversations: 1 },
        { hourOfDay: 3, conversations: 1 },
      ]);
    });
  });

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
  });

  test('lists steps in the order in which most conversations begin them', async () => {
    // Thrice a, c, b, d; once d first. By median offset b (1.5 s) would stand before c (2 s).
    const spans = [
      ['a', 'c', 'b', 'd'],
      ['a', 'c', 'b', 'd'],
      ['d', 'a', 'c', 'b'],
    ].flatMap((steps, conversation) =>
      steps.map((step, index) =>
        stepSpan(step, { id: `${conversation}`, start: `2025-10-08T12:00:0${index}Z`, ms: conversation + 1 }),
      ),
    );
    const { data } = await asking(spans, (source) => source.ask({ name: 'step-statistics', window: OCTOBER_8 }));
    expect(data.map(({ step }) => step)).toEqual(['a', 'c', 'b', 'd']);
  });

  test('gives a row to conversations with a step in the window or a start in it', async () => {
    const spans = [
      stepSpan('gpt', { id: 'before', start: '2025-10-07T23:59:58Z', ms: 1000 }),
      stepSpan('tts', { id: 'before', start: '2025-10-08T00:00:01Z', ms: 500 }),
      stepSpan('gpt', { id: 'within', start: '2025-10-08T23:59:59Z', ms: 2000 }),
      stepSpan('gpt', { id: 'within', start: '2025-10-09T00:00:01Z', ms: 3000, attempt: 2 }),
      stepSpan('tts', { id: 'within', start: '2025-10-09T00:00:04Z', ms: 700, outcome: 'failed' }),
      rootSpan({ id: 'without steps', start: '2025-10-08T13:00:00Z', ms: 1, outcome: 'failed' }),
      stepSpan('gpt', { id: 'after', start: '2025-10-09T00:00:00Z', ms: 1 }),
    ];
    const { data } = await asking(spans, (source) => source.ask({ name: 'step-durations', window: OCTOBER_8 }));
    expect(data).toEqual({
      traceIds: ['before', 'without steps', 'within'].map(traceIdOf),
      startTimesUnixNano: BigInt64Array.from(
        ['2025-10-07T23:59:58Z', '2025-10-08T13:00:00Z', '2025-10-08T23:59:59Z'].map(parseInstant),
      ),
      startsInWindow: Uint8Array.of(0, 1, 1),
      outcomes: ['open', 'failed', 'open'],
      durationMs: Float64Array.of(3500, 1, 5700),
      stepSumMs: Float64Array.of(1500, 0, 5700),
      responseMs: Float64Array.of(Number.NaN, Number.NaN, Number.NaN),
      steps: [
        {
          step: 'gpt',
          rows: Uint32Array.of(0, 2),
          countedMs: Float64Array.of(0, 2000),
          counted: Uint32Array.of(0, 1),
          completedMs: Float64Array.of(1000, 5000),
          firstOffsetMs: Float64Array.of(0, 0),
        },
        {
          step: 'tts',
          rows: Uint32Array.of(0, 2),
          countedMs: Float64Array.of(500, 0),
          counted: Uint32Array.of(1, 0),
          completedMs: Float64Array.of(500, Number.NaN),
          firstOffsetMs: Float64Array.of(3000, 5000),
        },
      ],
    });
  });

  test('the 1,000 most frequent step names are told apart, and the others are one', async () => {
    const spans = crowdedSpans();
    // Frequent are 1000, 1001, 1002 and 1004, so of those that occur once the last that is kept is 995.
    const foldedIndexes = [996, 997, 998, 999, 1003];
    await asking(spans, async (source) => {
      const asked = { window: OCTOBER_8, quantiles: [0.5, 1] };
      const statistics = await source.ask({ name: 'step-statistics', ...asked });
      expect(statistics.data).toHaveLength(1001);
      const folded = statistics.data.find(({ step }) => step === '(other)');
      const foldedMs = [60, ...foldedIndexes.map((index) => 100 + index)];
      expect(folded).toMatchObject({
        total: 6,
        completed: 6,
        count: 6,
        minMs: 60,
        maxMs: 1103,
        averageMs: expect.closeTo(foldedMs.reduce((sum, ms) => sum + ms) / 6, 6),
        quantilesMs: [expect.closeTo(1097.5, 6), expect.closeTo(1103, 6)],
      });
      const steps = new Set(statistics.data.map(({ step }) => step));
      expect(foldedIndexes.filter((index) => steps.has(name(index)))).toEqual([]);
      expect(statistics.data.find(({ step }) => step === name(1002))).toMatchObject({ retried: 1, finalFailures: 0 });
      expect(statistics.data.find(({ step }) => step === name(1000))).toMatchObject({ retried: 0, finalFailures: 1 });
      expect(statistics.coverage.warnings).toMatchObject([
        { code: 'step-names-folded', text: expect.stringMatching(/^1005 step names occur\. .* other 5 are/) },
      ]);

      const durations = await source.ask({ name: 'step-durations', window: OCTOBER_8 });
      expect(durations.data.steps).toHaveLength(1001);
      const column = durations.data.steps.find(({ step }) => step === '(other)')!;
      expect([...column.rows]).toEqual([2, 3, 4, 5]);
      expect(column.counted.reduce((sum, count) => sum + count)).toBe(6);
      expect(durations.coverage.warnings).toMatchObject([
        { code: 'step-names-folded', text: expect.stringMatching(/^1006 step names occur\. .* other 6 are/) },
      ]);

      const one = await source.ask({ name: 'step-statistics', ...asked, step: name(999) });
      expect(one).toMatchObject({ data: [{ step: name(999), total: 1 }], coverage: { warnings: [] } });
      const reference = new MemorySource(spans);
      for (const question of [
        { name: 'step-statistics', ...asked, firstOutput: true },
        { name: 'step-durations', window: OCTOBER_8 },
        { name: 'step-statistics', ...asked, filters: { outcome: 'open' } },
        { name: 'step-durations', window: OCTOBER_8, filters: { outcome: 'open' } },
      ] as const) {
        const [actual, expected] = [await source.ask(question), await reference.ask(question)];
        expect(differencesBetween(actual, expected).slice(0, 5)).toEqual([]);
      }
    });
  });

  test('filters choose whole conversations, and all must hold', async () => {
    const spans = ['voice', 'chat'].flatMap((workflow) => [
      rootSpan({ id: workflow, start: '2025-10-08T12:00:00Z', ms: 1, workflow, sessionId: 'caller' }),
      stepSpan('stt', { id: workflow, start: '2025-10-08T12:00:00Z', ms: 1, serviceName: 'ears' }),
      stepSpan('gpt', { id: workflow, start: '2025-10-08T12:00:01Z', ms: 1, serviceName: `${workflow} brain` }),
      foreignSpan({ id: workflow, start: '2025-10-08T12:00:01Z', ms: 1, serviceName: 'database' }),
    ]);
    const filters = [
      {},
      { service: 'ears' },
      { service: 'voice brain' },
      { service: 'database', session: 'caller', workflow: 'chat' },
      { service: 'voice brain', workflow: 'chat' },
      { outcome: 'failed' as const },
    ];
    const counts = await asking(spans, async (source) => {
      const answers = [];
      for (const filter of filters) {
        const { data, coverage } = await source.ask({ name: 'step-statistics', window: OCTOBER_8, filters: filter });
        answers.push([data.reduce((total, row) => total + row.total, 0), coverage.conversations, coverage.spans]);
      }
      return answers;
    });
    expect(counts).toEqual([
      [4, 2, 8],
      [4, 2, 8],
      [2, 1, 4],
      [2, 1, 4],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('warns when a program samples, and stays complete', async () => {
    const spans = [
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 1, serviceName: 'voice-bot', samplingRatio: 0.1 }),
      stepSpan('tts', { start: '2025-10-08T12:00:00Z', ms: 1, serviceName: 'speech', samplingRatio: 1 }),
    ];
    const { coverage } = await asking(spans, (source) =>
      source.ask({ name: 'common-errors', window: OCTOBER_8, limit: 1 }),
    );
    expect(coverage).toEqual({
      conversations: 1,
      spans: 2,
      complete: true,
      warnings: [
        {
          code: 'sampled',
          text: 'The program "voice-bot" keeps only a share of 0.1 of its conversations: counts are of those kept, not of all.',
        },
      ],
    });
  });

  test('lists the slowest above a threshold by the clock, and leaves out those that are open', async () => {
    const spans = [5000, 5001, 9000, 9001].flatMap((ms) => [
      // Side by side, so that the steps add up to twice as much.
      stepSpan('gpt', { id: `${ms}`, start: '2025-10-08T12:00:00Z', ms }),
      stepSpan('tts', { id: `${ms}`, start: '2025-10-08T12:00:00Z', ms: ms - 1 }),
      ...(ms === 9001 ? [] : [rootSpan({ id: `${ms}`, start: '2025-10-08T12:00:00Z', ms: 1 })]),
    ]);
    const list = (order: 'slowest' | 'longest'): Promise<string[]> =>
      asking(spans, async (source) => {
        const { data } = await source.ask({
          name: 'conversations',
          order,
          limit: 5,
          window: OCTOBER_8,
          aboveNano: 5_000_000_000n,
        });
        return data.map(({ conversationId }) => conversationId);
      });
    expect(await list('slowest')).toEqual(['9000', '5001']);
    expect(await list('longest')).toEqual(['9001', '9000', '5001']);
  });

  describe('groups', () => {
    const textAttribute = (key: string, stringValue: string): object[] => [{ key, value: { stringValue } }];
    const call = (id: string, second: number, ms: number, facts: Partial<SpanRecord>): SpanRecord =>
      stepSpan('gpt', { id, start: `2025-10-08T12:00:0${second}Z`, ms, ...facts });
    const gpt = (group: string, total: number, averageMs: number, quantilesMs: number[]): object => ({
      group,
      step: 'gpt',
      total,
      count: total,
      averageMs,
      quantilesMs,
    });

    test('of a step are by its own attribute, else the one of the root, else the one of the resource', async () => {
      const resource = { resourceAttributes: textAttribute('tenant', 'of the resource') };
      const spans = [
        call('all', 1, 100, { rest: { attributes: textAttribute('tenant', 'own'), ...resource } }),
        call('all', 2, 200, { rest: resource }),
        rootSpan({
          id: 'all',
          start: '2025-10-07T12:00:00Z',
          ms: 9,
          rest: { attributes: textAttribute('tenant', 'b') },
        }),
        rootSpan({
          id: 'all',
          spanId: 'b'.repeat(16),
          start: '2025-10-08T12:00:00Z',
          ms: 9,
          rest: { attributes: textAttribute('tenant', 'a') },
        }),
        call('rootless', 3, 300, { rest: resource }),
        call('rootless', 4, 400, { rest: { attributes: textAttribute('tenant', '') } }),
        call('rootless', 5, 500, { rest: { attributes: [{ key: 'tenant', value: { boolValue: true } }] } }),
        call('rootless', 6, 600, { rest: { attributes: [{ key: 'tenant', value: { intValue: '7' } }] } }),
      ];
      const [statistics, values] = await asking(spans, (source) =>
        Promise.all([
          source.ask({
            name: 'step-statistics',
            window: OCTOBER_8,
            groupBy: { attribute: 'tenant', values: ['of the resource', 'a', 'own', 'b'] },
          }),
          source.ask({ name: 'attribute-values', window: OCTOBER_8, attribute: 'tenant', limit: 4 }),
        ]),
      );
      expect(statistics.data.map(({ group, step, averageMs }) => [group, step, averageMs])).toEqual([
        ['of the resource', 'gpt', 300],
        ['a', 'gpt', 200],
        ['own', 'gpt', 100],
        ['(other)', 'gpt', 550],
        ['(none)', 'gpt', 400],
      ]);
      expect(values.data).toEqual(['7', 'a', 'of the resource', 'own'].map((value) => ({ value, spans: 1 })));
      expect(values.coverage).toEqual(statistics.coverage);
    });

    test('beyond the named ones have the figures of all their steps together', async () => {
      const spans = [
        ...[1, 2, 3, 4].map((index) => call('one', index, 100 * index, { model: 'large' })),
        call('one', 5, 100, { model: 'small' }),
        call('one', 6, 200, { model: 'tiny' }),
        call('one', 7, 900, { model: 'tiny' }),
      ];
      const { data } = await asking(spans, (source) =>
        source.ask({
          name: 'step-statistics',
          window: OCTOBER_8,
          quantiles: [0.5, 0.75],
          groupBy: { attribute: 'gen_ai.request.model', values: ['large', 'never seen'] },
        }),
      );
      expect(data).toMatchObject([gpt('large', 4, 250, [250, 325]), gpt('(other)', 3, 400, [200, 550])]);
      expect(data).toHaveLength(2);
    });

    test('do not part a retry from what it retries', async () => {
      const spans = [
        call('one', 1, 100, { model: 'large', outcome: 'failed' }),
        call('one', 2, 100, { model: 'small', attempt: 2 }),
      ];
      const { data } = await asking(spans, (source) =>
        source.ask({
          name: 'step-statistics',
          window: OCTOBER_8,
          groupBy: { attribute: 'gen_ai.request.model', values: ['large', 'small'] },
        }),
      );
      expect(data).toMatchObject([
        { group: 'large', total: 1, failures: 1, retried: 1, finalFailures: 0 },
        { group: 'small', total: 1, failures: 0, retried: 0, finalFailures: 0 },
      ]);
    });

    test('of a conversation are those of its steps, and no group only where no step has one', async () => {
      const spans = [
        call('mixed', 1, 100, { model: 'large', responseLatencySeconds: 1 }),
        call('mixed', 2, 100, { model: 'small' }),
        call('mixed', 3, 100, {}),
        call('plain', 4, 100, { responseLatencySeconds: 3 }),
        rootSpan({ id: 'stepless', start: '2025-10-08T12:00:05Z', ms: 9, model: 'large', responseLatencySeconds: 5 }),
      ];
      const groupBy = { attribute: 'gen_ai.request.model', values: ['small', 'large'] };
      const [responses, durations] = await asking(spans, (source) =>
        Promise.all([
          source.ask({ name: 'response-statistics', window: OCTOBER_8, quantiles: [0], groupBy }),
          source.ask({ name: 'step-durations', window: OCTOBER_8, groupBy, traits: true }),
        ]),
      );
      expect(responses.data.map(({ group, conversations, averageMs }) => [group, conversations, averageMs])).toEqual([
        ['small', 1, 1000],
        ['large', 2, 3000],
        ['(none)', 1, 3000],
      ]);
      expect(durations.data.traceIds).toEqual(['mixed', 'plain', 'stepless'].map(traceIdOf));
      expect(durations.data.groupMasks).toEqual(Uint32Array.of(0b11, 0b1000, 0b10));
      expect(durations.data.steps.map(({ group, rows, traits }) => [group, [...rows], traits?.models])).toEqual([
        ['small', [0], ['small']],
        ['large', [0], ['large']],
        ['(none)', [0, 1], ['', '']],
      ]);
    });
  });

  describe('response latency', () => {
    test('of conversations that start in the window has a mean and quantiles', async () => {
      const spans = [
        ...answer('one', 1),
        ...answer('two', undefined, 2),
        ...answer('neither', undefined),
        stepSpan('tts', { id: 'before', start: '2025-10-07T23:59:59Z', ms: 1 }),
        stepSpan('tts', { id: 'before', start: '2025-10-08T00:00:01Z', ms: 1, responseLatencySeconds: 9 }),
      ];
      const [one, none] = await asking(spans, async (source) => [
        await source.ask({ name: 'response-statistics', window: OCTOBER_8, quantiles: [0.5, 1] }),
        await source.ask({ name: 'response-statistics', window: OCTOBER_8, filters: { session: 'nobody' } }),
      ]);
      expect(one!.data).toEqual([
        { conversations: 2, averageMs: 1500, minMs: 1000, maxMs: 2000, quantilesMs: [1500, 2000] },
      ]);
      expect(one!.coverage).toMatchObject({ conversations: 4, spans: 13 });
      expect(none!.data).toEqual([{ conversations: 0, quantilesMs: [] }]);
    });

    const answer = (id: string, seconds: number | undefined, rootSeconds?: number): SpanRecord[] => [
      stepSpan('stt', { id, start: '2025-10-08T12:00:00Z', ms: 100 }),
      stepSpan('tts', {
        id,
        start: '2025-10-08T12:00:01Z',
        ms: 100,
        ...(seconds !== undefined && { responseLatencySeconds: seconds }),
      }),
      stepSpan('tts', {
        id,
        start: '2025-10-08T12:00:02Z',
        ms: 100,
        ...(seconds !== undefined && { responseLatencySeconds: 4 }),
      }),
      rootSpan({
        id,
        start: '2025-10-08T12:00:00Z',
        ms: 1,
        ...(rootSeconds !== undefined && { responseLatencySeconds: rootSeconds }),
      }),
    ];

    test('of a conversation is the smallest of its steps, else that of the root', async () => {
      const spans = [
        ...answer('steps', 1.25, 0.5),
        ...answer('root', undefined, 0.75),
        ...answer('neither', undefined),
      ];
      const [slowest, all] = await asking(spans, async (source) => [
        await source.ask({ name: 'conversations', order: 'slowest-response', limit: 5, window: OCTOBER_8 }),
        await source.ask({ name: 'conversations', order: 'slowest-response', limit: 5, aboveNano: 750_000_000n }),
      ]);
      expect(slowest!.data.map(({ conversationId, responseMs }) => [conversationId, responseMs])).toEqual([
        ['steps', 1250],
        ['root', 750],
      ]);
      expect(all!.data.map(({ conversationId }) => conversationId)).toEqual(['steps']);
    });
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

  test('tells the time to first output of completed steps, where it is asked for', async () => {
    const spans = [0.1, 0.2, 0.4].map((seconds) =>
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 1000, timeToFirstOutputSeconds: seconds }),
    );
    spans.push(
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 1000 }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 1000, timeToFirstOutputSeconds: 9, outcome: 'failed' }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 60_000, timeToFirstOutputSeconds: 9 }),
    );
    const [asked, notAsked] = await asking(spans, async (source) => [
      await source.ask({ name: 'step-statistics', window: OCTOBER_8, quantiles: [0.5, 0.95], firstOutput: true }),
      await source.ask({ name: 'step-statistics', window: OCTOBER_8, quantiles: [0.5] }),
    ]);
    const { firstOutput } = asked!.data[0]!;
    expect(firstOutput!.count).toBe(3);
    expect(firstOutput!.averageMs).toBeCloseTo(700 / 3);
    expect(firstOutput!.quantilesMs.map(Math.round)).toEqual([200, 380]);
    expect(notAsked!.data[0]).not.toHaveProperty('firstOutput');
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

  test('takes spans with equal ids and different starts for different spans, and several roots for one conversation', async () => {
    const ids = { spanId: '00000000000000aa' };
    const spans = [
      rootSpan({ ...ids, start: '2025-10-08T12:00:00Z', ms: 1000, outcome: 'interrupted' }),
      rootSpan({ ...ids, start: '2025-10-08T12:00:00Z', ms: 1000, outcome: 'interrupted' }),
      rootSpan({ ...ids, start: '2025-10-08T13:00:00Z', ms: 1000, outcome: 'failed' }),
      rootSpan({ ...ids, start: '2025-10-08T14:00:00Z', ms: 1000, outcome: 'completed' }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 100 }),
    ];
    const [one, list] = await asking(
      spans,
      async (source) =>
        [
          await source.ask({ name: 'conversation', conversationId: 'one' }),
          await source.ask({ name: 'conversations', order: 'newest', limit: 1, filters: { outcome: 'failed' } }),
        ] as const,
    );
    const warnings = [
      {
        code: 'conversation-id-reused',
        text: 'The conversation id "one" was used more than once: what was traced under it is shown as one conversation, with the worst outcome.',
      },
    ];
    expect(one.data.spans).toHaveLength(4);
    expect(one.coverage).toEqual({ conversations: 1, spans: 4, complete: true, warnings });
    expect(list.data).toMatchObject([{ outcome: 'failed', stepCount: 1 }]);
    expect(list.coverage.warnings).toEqual(warnings);
  });

  test('takes the root of another framework for a span like any other', async () => {
    const spans = [
      foreignSpan({ start: '2025-10-08T12:00:00Z', ms: 1000, name: 'conversation', conversationId: 'one' }),
      stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 100 }),
      foreignSpan({
        id: 'call',
        start: '2025-10-08T12:00:00Z',
        ms: 1000,
        name: 'conversation',
        conversationId: 'call',
      }),
    ];
    const { data, coverage } = await asking(spans, (source) =>
      source.ask({ name: 'conversations', order: 'longest', window: OCTOBER_8, limit: 5 }),
    );
    expect(data).toMatchObject([{ conversationId: 'one', outcome: 'open', stepCount: 1 }]);
    expect([coverage.conversations, coverage.spans]).toEqual([1, 3]);
  });

  test('says what spans there are where none is a step or a root', async () => {
    const named = (name: string, facts: Partial<SpanRecord> = {}): SpanRecord =>
      foreignSpan({ start: '2025-10-08T12:00:00Z', ms: 1, name, ...facts });
    const spans = [
      named('GET /b', { serviceName: 'gateway' }),
      named('SELECT', { serviceName: 'database' }),
      named('SELECT', { serviceName: 'database' }),
      named('GET /c', { serviceName: 'gateway' }),
      named('GET /a'),
    ];
    const [statistics, list, quiet, filtered] = await asking(
      spans,
      async (source) =>
        [
          await source.ask({ name: 'step-statistics', window: OCTOBER_8 }),
          await source.ask({ name: 'conversations', order: 'newest', limit: 3 }),
          await source.ask({
            name: 'step-statistics',
            window: { ...OCTOBER_8, untilUnixNano: OCTOBER_8.sinceUnixNano },
          }),
          await source.ask({ name: 'step-statistics', window: OCTOBER_8, filters: { service: 'gateway' } }),
        ] as const,
    );
    const text =
      'No step or root of a conversation was recognised. Spans read: 5, from "database", "gateway", named "SELECT", "GET /a", "GET /b", …. A step has the attribute conversation.step.name.';
    const warnings = [{ code: 'no-steps-recognised', text }];
    expect(statistics.coverage).toEqual({ conversations: 0, spans: 5, complete: true, warnings });
    expect(list).toEqual({ data: [], coverage: { conversations: 0, spans: 0, complete: true, warnings } });
    expect([quiet.coverage.warnings, filtered.coverage.warnings]).toEqual([[], []]);
  });

  test('hands over what a step says of its model, its stream and its limit', async () => {
    const facts: Partial<SpanRecord> = {
      provider: 'openai',
      model: 'gpt-4o',
      inputTokens: 120,
      outputTokens: 0,
      chunks: 17,
      timeoutSeconds: 2.5,
      timeToFirstOutputSeconds: 0.25,
      responseLatencySeconds: 0,
      serviceName: 'brain',
      workflow: 'voice',
      sessionId: 'caller',
    };
    const step = stepSpan('gpt', { start: '2025-10-08T12:00:00Z', ms: 100, ...facts });
    const { data } = await asking([step], (source) => source.ask({ name: 'conversation', conversationId: 'one' }));
    expect(data.spans).toMatchObject([facts]);
    const { rest: _rest, ...handedOver } = data.spans[0]!;
    expect(handedOver).toEqual(step);
  });

  test('filters by workflow and session of any span, before the root has arrived', async () => {
    const spans = [
      stepSpan('gpt', { id: 'a', start: '2025-10-08T12:00:00Z', ms: 1, workflow: 'voice', sessionId: 'caller' }),
      stepSpan('gpt', { id: 'b', start: '2025-10-08T12:00:00Z', ms: 1 }),
      foreignSpan({ id: 'b', start: '2025-10-08T12:00:00Z', ms: 1, workflow: 'chat', sessionId: 'thread' }),
    ];
    const idsOf = (filters: ConversationFilters): Promise<unknown> =>
      asking(spans, async (source) => {
        const { data } = await source.ask({ name: 'conversations', order: 'newest', limit: 5, filters });
        return data.map(({ conversationId, workflow, sessionId }) => [conversationId, workflow, sessionId]);
      });
    expect(await idsOf({ workflow: 'voice' })).toEqual([['a', 'voice', 'caller']]);
    expect(await idsOf({ session: 'thread' })).toEqual([['b', 'chat', 'thread']]);
    expect(await idsOf({ session: 'thread', workflow: 'voice' })).toEqual([]);
  });
}

function name(index: number): string {
  return `tool ${String(index).padStart(4, '0')}`;
}

/** Spans of 1,005 steps in seven conversations on 8 October 2025, and some with a reason of their own. */
export function crowdedSpans(): SpanRecord[] {
  const start = (second: number): string => new Date(Date.UTC(2025, 9, 8, 12) + second * 1000).toISOString();
  const named = Array.from({ length: 1005 }, (_none, index) =>
    stepSpan(name(index), { id: `c${index % 7}`, start: start(index), ms: 100 + index }),
  );
  const more = [
    // Its name is the last by text, and it is kept, because it occurs twice.
    stepSpan(name(1004), { id: 'c1', start: start(3000), ms: 10 }),
    // Two names that are folded: a retry is one of the same name, so that only the first span was retried.
    stepSpan(name(1002), { id: 'c2', start: start(3001), ms: 20, outcome: 'failed' }),
    stepSpan(name(1002), { id: 'c2', start: start(3002), ms: 30, attempt: 2 }),
    stepSpan(name(1000), { id: 'c2', start: start(3003), ms: 40, outcome: 'failed' }),
    stepSpan(name(1001), { id: 'c2', start: start(3004), ms: 50, attempt: 2 }),
    stepSpan('(other)', { id: 'c3', start: start(3005), ms: 60 }),
    // Does not start in the window, and has a name of its own.
    stepSpan('elsewhere', { id: 'c3', start: '2025-10-09T00:00:00Z', ms: 70 }),
  ];
  return [...named, ...more];
}

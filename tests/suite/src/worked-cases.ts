import { describe, expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { ConversationSource, SpanRecord, Window } from '@convotel/query';
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
          totalNano: 6_407_000_000n,
          completedNano: 4_951_000_000n,
          completedNanoByStep: { request: 150_000_000n, stt: 1_234_000_000n, gpt: 3_567_000_000n },
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
      totalMs: Float64Array.of(1500, 0, 5700),
      steps: [
        {
          step: 'gpt',
          countedMs: Float64Array.of(0, 0, 2000),
          counted: Uint32Array.of(0, 0, 1),
          completedMs: Float64Array.of(1000, Number.NaN, 5000),
          firstOffsetMs: Float64Array.of(0, Number.NaN, 0),
        },
        {
          step: 'tts',
          countedMs: Float64Array.of(500, 0, 0),
          counted: Uint32Array.of(1, 0, 0),
          completedMs: Float64Array.of(500, Number.NaN, Number.NaN),
          firstOffsetMs: Float64Array.of(3000, Number.NaN, 5000),
        },
      ],
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
        'The program "voice-bot" keeps only a share of 0.1 of its conversations: counts are of those kept, not of all.',
      ],
    });
  });

  test('lists the slowest above a threshold, which itself does not count', async () => {
    const spans = [5000, 5001, 9000].map((ms) => stepSpan('gpt', { id: `${ms}`, start: '2025-10-08T12:00:00Z', ms }));
    const { data } = await asking(spans, (source) =>
      source.ask({
        name: 'conversations',
        order: 'slowest',
        limit: 5,
        window: OCTOBER_8,
        completedAboveNano: 5_000_000_000n,
      }),
    );
    expect(data.map(({ conversationId }) => conversationId)).toEqual(['9000', '5001']);
  });
}

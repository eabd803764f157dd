import { describe, expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import { MemorySource, parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { differencesBetween } from '../differences.ts';
import { rootSpan, stepSpan } from '../span-builders.ts';
import { OCTOBER_8 } from './asking.ts';
import type { Asking } from './asking.ts';

/** Numbers of each step, and which steps there are. */
export function describeSteps(asking: Asking): void {
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

  test('the 1,000 most frequent step names are listed separately, and the others as one', async () => {
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
          text: 'The program "voice-bot" samples its conversations at a ratio of 0.1: counts are of the sampled ones, not of all.',
        },
      ],
    });
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
    const quantiles = [0.5, 0.95];
    const [asked, alone, notAsked] = await asking(spans, async (source) => [
      await source.ask({ name: 'step-statistics', window: OCTOBER_8, quantiles, firstOutput: true }),
      await source.ask({
        name: 'step-statistics',
        window: OCTOBER_8,
        quantiles,
        durationQuantiles: false,
        firstOutput: true,
      }),
      await source.ask({ name: 'step-statistics', window: OCTOBER_8, quantiles: [0.5] }),
    ]);
    const { firstOutput } = asked!.data[0]!;
    expect(firstOutput!.count).toBe(3);
    expect(firstOutput!.averageMs).toBeCloseTo(700 / 3);
    expect(firstOutput!.quantilesMs.map(Math.round)).toEqual([200, 380]);
    expect(alone!.data[0]).toEqual({ ...asked!.data[0], quantilesMs: [] });
    expect(notAsked!.data[0]).not.toHaveProperty('firstOutput');
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

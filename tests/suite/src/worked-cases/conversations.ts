import { describe, expect, test } from '@jest/globals';
import { traceIdOf } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { foreignSpan, rootSpan, stepSpan } from '../span-builders.ts';
import { OCTOBER_8 } from './asking.ts';
import type { Asking } from './asking.ts';

/** What a conversation is, and which spans are its own. */
export function describeConversations(asking: Asking): void {
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
        text: 'The conversation id "one" was used more than once: everything recorded under it is shown as one conversation, with the worst outcome.',
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
      audioSeconds: 3.25,
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
}

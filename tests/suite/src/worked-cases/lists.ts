import { describe, expect, test } from '@jest/globals';
import { parseInstant } from '@convotel/query';
import type { ConversationFilters, SpanRecord } from '@convotel/query';
import { foreignSpan, rootSpan, stepSpan } from '../span-builders.ts';
import { OCTOBER_8 } from './asking.ts';
import type { Asking } from './asking.ts';

/** Which conversations are chosen, in which order, and how long they make users wait. */
export function describeLists(asking: Asking): void {
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

  describe('what calls used and what sessions come to', () => {
    const said = { model: 'large', sessionId: 'call' };
    const spans = [
      // Starts on the 8th; its second step, the day after, counts with it. The root's session comes before that of a step.
      rootSpan({ id: 'one', start: '2025-10-08T23:59:00Z', ms: 61_000, sessionId: 'call', outcome: 'failed' }),
      stepSpan('gpt', { id: 'one', start: '2025-10-08T23:59:30Z', ms: 1000, ...said, inputTokens: 5, outputTokens: 0 }),
      stepSpan('gpt', { id: 'one', start: '2025-10-09T00:00:30Z', ms: 1000, ...said, sessionId: 'a', inputTokens: 7 }),
      rootSpan({ id: 'two', start: '2025-10-08T12:00:00Z', ms: 1000, sessionId: 'call' }),
      stepSpan('gpt', { id: 'two', start: '2025-10-08T12:00:00Z', ms: 1000, ...said, inputTokens: 2, outputTokens: 0 }),
      stepSpan('tts', { id: 'two', start: '2025-10-08T12:00:00Z', ms: 500, audioSeconds: 1.5, outcome: 'interrupted' }),
      stepSpan('stt', { id: 'two', start: '2025-10-08T12:00:00Z', ms: 500 }),
      stepSpan('gpt', { id: 'alone', start: '2025-10-08T13:00:00Z', ms: 1000, provider: 'openai' }),
      // Starts the day before.
      stepSpan('gpt', { id: 'before', start: '2025-10-07T23:59:59Z', ms: 1, model: 'large', sessionId: 'earlier' }),
      stepSpan('gpt', { id: 'before', start: '2025-10-08T00:00:00Z', ms: 1, model: 'large', sessionId: 'earlier' }),
    ];

    test('is added up for the calls that recorded the same, in conversations that start in the window', async () => {
      const [all, bySession, byDay] = await asking(spans, async (source) => {
        const asked = { name: 'model-usage', window: OCTOBER_8, timeZone: 'Asia/Tokyo' } as const;
        return [
          await source.ask(asked),
          await source.ask({ ...asked, by: 'session' }),
          await source.ask({ ...asked, by: 'day' }),
        ];
      });
      expect(all!.data).toEqual([
        { step: 'gpt', model: 'large', calls: 1, inputTokens: 7 },
        { step: 'gpt', model: 'large', calls: 2, inputTokens: 7, outputTokens: 0 },
        { step: 'gpt', calls: 1 },
        { step: 'tts', calls: 1, audioSeconds: 1.5 },
      ]);
      expect(bySession!.data.map(({ group, step, calls }) => [group, step, calls])).toEqual([
        ['call', 'gpt', 1],
        ['call', 'gpt', 2],
        ['call', 'tts', 1],
        [undefined, 'gpt', 1],
      ]);
      expect(byDay!.data.map(({ group, step, calls }) => [group, step, calls])).toEqual([
        ['2025-10-08', 'gpt', 1],
        ['2025-10-08', 'gpt', 1],
        ['2025-10-08', 'tts', 1],
        ['2025-10-09', 'gpt', 1],
        ['2025-10-09', 'gpt', 1],
      ]);
      expect(all!.coverage).toMatchObject({ conversations: 4, complete: true });
    });

    test('is told of the newest sessions, and of how many conversations are in none', async () => {
      const [sessions, none] = await asking(spans, async (source) => [
        await source.ask({ name: 'sessions', window: OCTOBER_8, limit: 1 }),
        await source.ask({ name: 'sessions', window: OCTOBER_8, limit: 1, filters: { workflow: 'nobody' } }),
      ]);
      expect(sessions!.data).toEqual({
        sessions: [
          {
            sessionId: 'call',
            conversations: 2,
            startTimeUnixNano: parseInstant('2025-10-08T12:00:00Z'),
            lastStartUnixNano: parseInstant('2025-10-08T23:59:30Z'),
            endTimeUnixNano: parseInstant('2025-10-09T00:00:31Z'),
            spokenNano: 62_000_000_000n,
            failures: 1,
            interruptions: 1,
            inputTokens: 14,
            outputTokens: 0,
          },
        ],
        conversations: 3,
        withoutSession: 1,
      });
      expect(none!.data).toEqual({ sessions: [], conversations: 0, withoutSession: 0 });
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

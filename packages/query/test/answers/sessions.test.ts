import { expect, test } from '@jest/globals';
import { MemorySource, parseInstant, session, sessions, usage } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { inSequence, recordConversation } from './record-conversation.ts';

const timeZone = 'UTC';
const window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};

/** An exchange of 2 s: half a second to hear, one and a half to answer. */
function exchange(
  id: string,
  sessionId: string | undefined,
  time: string,
  gpt: Partial<SpanRecord> = {},
): SpanRecord[] {
  const said = sessionId === undefined ? {} : { sessionId };
  return recordConversation({
    conversationId: id,
    startTime: `2025-10-08T${time}Z`,
    outcome: gpt.outcome === 'failed' ? 'failed' : 'completed',
    steps: inSequence([
      { step: 'stt', durationMs: 500, ...said },
      { step: 'gpt', durationMs: 1500, ...said, ...gpt },
    ]),
  });
}

const source = new MemorySource([
  ...exchange('c1', 'call-1', '10:00:00', { inputTokens: 100, outputTokens: 20 }),
  ...exchange('c2', 'call-1', '10:00:12', { inputTokens: 150 }),
  ...exchange('c3', 'call-1', '10:00:13', {
    outcome: 'failed',
    errorType: 'RateLimit',
    errorMessage: 'slow down',
  }),
  ...exchange('d1', 'call-2', '10:00:05', { outcome: 'interrupted' }),
  ...exchange('alone', undefined, '11:00:00'),
]);

test('sessions come by their last conversation, and say what they come to', async () => {
  const { data, coverage } = await sessions(source, { window, timeZone });
  expect(data).toEqual([
    {
      sessionId: 'call-1',
      conversations: 3,
      startTime: '2025-10-08T10:00:00.000000Z',
      endTime: '2025-10-08T10:00:15.000000Z',
      spokenMs: 6000,
      failures: 1,
      interruptions: 0,
      inputTokens: 250,
      outputTokens: 20,
    },
    {
      sessionId: 'call-2',
      conversations: 1,
      startTime: '2025-10-08T10:00:05.000000Z',
      endTime: '2025-10-08T10:00:07.000000Z',
      spokenMs: 2000,
      failures: 0,
      interruptions: 1,
    },
  ]);
  expect(coverage.warnings).toEqual([
    { code: 'without-session', text: '1 of 5 conversations carry no session.id, so they are in no session' },
  ]);
  expect((await sessions(source, { window, timeZone, limit: 1 })).data).toHaveLength(1);
  expect((await sessions(source, { window, timeZone, filters: { outcome: 'failed' } })).data).toMatchObject([
    { sessionId: 'call-1', conversations: 1 },
  ]);
});

test('a session lists its conversations by start, with pauses and errors', async () => {
  const { command, data, findings } = await session(source, { sessionId: 'call-1', timeZone });
  expect(command).toBe('session');
  expect(data).toMatchObject({ sessionId: 'call-1', spokenMs: 6000, failures: 1, inputTokens: 250, outputTokens: 20 });
  expect(
    data.conversations.map(({ conversationId, offsetMs, pauseMs, failedStep, errorType, errorMessage }) => [
      conversationId,
      offsetMs,
      pauseMs,
      failedStep,
      errorType,
      errorMessage,
    ]),
  ).toEqual([
    ['c1', 0, 0, undefined, undefined, undefined],
    ['c2', 12_000, 10_000, undefined, undefined, undefined],
    // It began while the one before it was under way.
    ['c3', 13_000, 0, 'gpt', 'RateLimit', 'slow down'],
  ]);
  expect(findings.map(({ text }) => text)).toEqual(['1 of 3 conversations failed (gpt)']);
});

test('a session that nobody recorded is said to be none', async () => {
  await expect(session(source, { sessionId: 'call-9', timeZone })).rejects.toMatchObject({
    code: 'NO_SUCH_CONVERSATION',
    message: 'no conversation of a session "call-9" in memory; "sessions" lists the newest ones',
  });
});

test.each([
  ['grows', (turn: number) => 0.5 + 0.1 * turn, 1],
  ['stays', (turn: number) => 0.5 + 0.01 * (turn % 2), 0],
  ['falls', (turn: number) => 2 - 0.1 * turn, 0],
  ['grows too little to matter', (turn: number) => 2 + 0.01 * turn, 0],
])('response latency that %s over the session', async (_how, secondsAt, found) => {
  const turns = Array.from({ length: 9 }, (_none, turn) =>
    exchange(`turn ${turn}`, 'call', `12:0${turn}:00`, { responseLatencySeconds: secondsAt(turn) }),
  );
  const { findings } = await session(new MemorySource(turns.flat()), { sessionId: 'call', timeZone });
  expect(findings.filter(({ rule }) => rule === 'growing-response')).toHaveLength(found);
  if (found === 1) {
    expect(findings[0]!.text).toBe(
      'Response latency grows over the session: 600ms in the first 3, 1.2s in the last 3 of 9 conversations',
    );
  }
});

test('a pause begins at the latest end, whichever conversation that was', async () => {
  const lasting = (id: string, time: string, durationMs: number): SpanRecord[] =>
    recordConversation({
      conversationId: id,
      startTime: `2025-10-08T${time}Z`,
      steps: [{ step: 'gpt', offsetMs: 0, durationMs, sessionId: 'overlapping' }],
    });
  const spans = [
    ...lasting('long', '13:00:00', 10_000),
    ...lasting('within it', '13:00:01', 1000),
    ...lasting('after both', '13:00:12', 1000),
  ];
  const { data } = await session(new MemorySource(spans), { sessionId: 'overlapping', timeZone });
  expect(data.conversations.map(({ pauseMs }) => pauseMs)).toEqual([0, 0, 2000]);
  expect(data.spokenMs).toBe(12_000);
});

test('a session is read whole, also where one question does not hand over all of it', async () => {
  // 10,300 conversations, of which 600 start at the instant where a page ends.
  const startOf = (index: number): number => Date.UTC(2025, 9, 8) + (index < 600 ? 0 : index) * 1000;
  const long = new MemorySource(
    Array.from({ length: 10_300 }, (_, index) =>
      recordConversation({
        conversationId: `long ${index}`,
        startTime: new Date(startOf(index)).toISOString(),
        steps: [{ step: 'gpt', offsetMs: 0, durationMs: 10, sessionId: 'a day of a robot', inputTokens: 1 }],
      }),
    ).flat(),
  );
  const { data, coverage } = await session(long, { sessionId: 'a day of a robot', timeZone });
  expect(data).toMatchObject({ inputTokens: 10_300, startTime: '2025-10-08T00:00:00.000000Z' });
  expect(new Set(data.conversations.map(({ conversationId }) => conversationId)).size).toBe(10_300);
  expect(coverage).toEqual({ conversations: 10_300, spans: 20_600, complete: true, warnings: [] });
});

test('sessions and usage read every conversation, also where one question does not hand over all', async () => {
  // 12,345 conversations in 40 sessions, thousands of them at one instant where a page ends.
  const many = new MemorySource(
    Array.from({ length: 12_345 }, (_, index) =>
      recordConversation({
        conversationId: `many ${index}`,
        startTime:
          index < 9000 ? '2025-10-08T20:00:00Z' : index < 11_500 ? '2025-10-08T12:00:00Z' : '2025-10-08T08:00:00Z',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs: 10, sessionId: `s${index % 40}`, model: 'm', inputTokens: 1 }],
      }),
    ).flat(),
  );
  const listed = await sessions(many, { window, timeZone, limit: 100 });
  expect(listed.data).toHaveLength(40);
  expect(listed.data.reduce((sum, row) => sum + row.conversations, 0)).toBe(12_345);
  expect(listed.coverage).toEqual({ conversations: 12_345, spans: 24_690, complete: true, warnings: [] });
  const used = await usage(many, { window, timeZone });
  expect(used.data.total).toMatchObject({ calls: 12_345, inputTokens: 12_345 });
  expect(used.coverage).toEqual(listed.coverage);
});

test('more conversations of a session at one instant than one question hands over are said to be missing', async () => {
  const crowd = new MemorySource(
    Array.from({ length: 10_050 }, (_, index) =>
      recordConversation({
        conversationId: `crowd ${index}`,
        startTime: '2025-10-08T20:00:00Z',
        outcome: 'open',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs: 10, sessionId: 's' }],
      }),
    ).flat(),
  );
  const { data, coverage } = await session(crowd, { sessionId: 's', timeZone });
  expect(data.conversations).toHaveLength(10_000);
  expect(coverage).toMatchObject({
    complete: false,
    warnings: [{ code: 'only-newest', text: 'only the newest 10000 conversations of the session were read' }],
  });
  expect((await sessions(crowd, { window, timeZone })).data).toMatchObject([{ conversations: 10_050 }]);
});

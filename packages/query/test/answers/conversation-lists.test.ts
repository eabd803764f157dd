import { expect, test } from '@jest/globals';
import { longest, MemorySource, recent, slow } from '@convotel/query';
import { DAY, exampleConversations } from './example-conversations.ts';
import { recordConversation } from './record-conversation.ts';

const timeZone = 'UTC';

test('recent lists the newest first, of all times, open ones included', async () => {
  const { data, window } = await recent(exampleConversations(), { timeZone, limit: 3 });
  expect(window).toEqual({ timeZone });
  expect(data.map(({ conversationId, outcome }) => [conversationId, outcome])).toEqual([
    ['20251008_143101_m3n4o5p6', 'failed'],
    ['20251008_143048_i9j0k1l2', 'completed'],
    ['20251008_143035_e5f6g7h8', 'completed'],
  ]);
  expect(data[0]).toMatchObject({
    startTime: '2025-10-08T14:31:01.234567Z',
    endTime: '2025-10-08T14:31:03.144567Z',
    totalMs: 1850,
    wallMs: 1910,
    stepCount: 3,
  });
});

test('recent keeps to a window where there is one, and to 10 rows where no limit is given', async () => {
  const source = new MemorySource(
    Array.from({ length: 12 }, (_none, hour) =>
      recordConversation({
        conversationId: `hour ${hour}`,
        startTime: `2025-10-08T${String(hour).padStart(2, '0')}:00:00Z`,
        steps: [],
      }),
    ).flat(),
  );
  expect((await recent(source, { timeZone })).data).toHaveLength(10);
  const until = DAY.sinceUnixNano + 2n * 3_600_000_000_000n;
  const { data, window } = await recent(source, { timeZone, window: { ...DAY, untilUnixNano: until } });
  expect(data.map(({ conversationId }) => conversationId)).toEqual(['hour 1', 'hour 0']);
  expect(window).toEqual({ since: '2025-10-08T00:00:00.000000Z', until: '2025-10-08T02:00:00.000000Z', timeZone });
});

const WAITING = recordConversation({
  conversationId: 'waiting',
  startTime: '2025-10-08T09:00:00Z',
  steps: [
    { step: 'stt', offsetMs: 0, durationMs: 1000 },
    { step: 'gpt', offsetMs: 9000, durationMs: 4000 },
  ],
});
const RETRYING = recordConversation({
  conversationId: 'retrying',
  startTime: '2025-10-08T10:00:00Z',
  steps: [
    { step: 'gpt', offsetMs: 0, durationMs: 4000, outcome: 'failed' },
    { step: 'gpt', offsetMs: 4000, durationMs: 5001, attempt: 2 },
    { step: 'rerank', offsetMs: 4100, durationMs: 100, depth: 1 },
  ],
});

test('longest goes by the wall clock', async () => {
  const { data } = await longest(new MemorySource([...RETRYING, ...WAITING]), { window: DAY, timeZone });
  expect(data.map(({ conversationId, wallMs, totalMs }) => [conversationId, wallMs, totalMs])).toEqual([
    ['waiting', 13_000, 5000],
    ['retrying', 9001, 9001],
  ]);
});

test('slow goes by the clock, and lists what is strictly above the threshold', async () => {
  const source = new MemorySource([...RETRYING, ...WAITING]);
  const { data } = await slow(source, { window: DAY, timeZone, thresholdMs: 9001 });
  expect(data).toHaveLength(1);
  expect(data[0]).toMatchObject({ conversationId: 'waiting', completedMs: 13_000, totalMs: 5000, stepCount: 2 });
  expect((await slow(source, { window: DAY, timeZone, thresholdMs: 9000.9 })).data).toHaveLength(2);
  expect((await slow(source, { window: DAY, timeZone, thresholdMs: 9000.9, limit: 1 })).data).toHaveLength(1);
});

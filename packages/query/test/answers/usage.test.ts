import { expect, test } from '@jest/globals';
import { MemorySource, parseInstant, usage } from '@convotel/query';
import type { UsageGroup, UsageRow } from '@convotel/query';
import { inSequence, recordConversation } from './record-conversation.ts';

const window = {
  sinceUnixNano: parseInstant('2025-10-07T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};
const asked = { window, timeZone: 'Europe/Berlin' };

const source = new MemorySource(
  [
    // 00:30 of the 8th in Berlin.
    { conversationId: 'one', startTime: '2025-10-07T22:30:00Z', said: { sessionId: 's1', workflow: 'voice' } },
    { conversationId: 'two', startTime: '2025-10-08T10:00:00Z', said: { sessionId: 's2', workflow: 'voice' } },
  ].flatMap(({ said, ...conversation }) =>
    recordConversation({
      ...conversation,
      steps: inSequence([
        { step: 'stt', durationMs: 100, ...said },
        {
          step: 'think',
          durationMs: 100,
          model: 'large',
          inputTokens: 1000,
          outputTokens: 200,
          inputChars: 44,
          ...said,
        },
        { step: 'think', durationMs: 100, attempt: 2, model: 'large', inputTokens: 1000, ...said },
        { step: 'check', durationMs: 100, model: 'small', inputTokens: 50, ...said },
        { step: 'tts', durationMs: 100, model: 'voice-1', inputChars: 120, ...said },
        { step: 'response', durationMs: 100, inputChars: 120, ...said },
      ]),
    }),
  ),
);

async function rowsBy(by: UsageGroup): Promise<UsageRow[]> {
  return (await usage(source, { ...asked, by })).data.rows;
}

test('usage adds up calls, tokens and characters by model, without a cost unless there are prices', async () => {
  const { data } = await usage(source, asked);
  expect(data).toEqual({
    by: 'model',
    rows: [
      { group: 'large', calls: 4, inputTokens: 4000, outputTokens: 400, unpricedCalls: 0 },
      { group: 'small', calls: 2, inputTokens: 100, unpricedCalls: 0 },
      { group: 'voice-1', calls: 2, spokenChars: 240, unpricedCalls: 0 },
    ],
    total: { calls: 8, inputTokens: 4100, outputTokens: 400, spokenChars: 240, unpricedCalls: 0 },
    unpricedModels: [],
  });
});

test('or by step, session, workflow, or day of the zone', async () => {
  expect((await rowsBy('step')).map(({ group, calls }) => [group, calls])).toEqual([
    ['think', 4],
    ['check', 2],
    ['tts', 2],
  ]);
  for (const by of ['session', 'day', 'workflow'] as const) {
    const groups = (await rowsBy(by)).map(({ group, inputTokens }) => [group, inputTokens]);
    expect([by, groups]).toEqual([
      by,
      {
        session: [
          ['s1', 2050],
          ['s2', 2050],
        ],
        day: [['2025-10-08', 4100]],
        workflow: [['voice', 4100]],
      }[by],
    ]);
  }
});

test('prices make a cost, and what has none is named', async () => {
  const prices = {
    large: { inputPerMillionTokens: 2, outputPerMillionTokens: 10 },
    'voice-1': { perMillionCharacters: 15 },
  };
  const { data } = await usage(source, { ...asked, prices });
  expect(data.rows.map(({ group, cost, unpricedCalls }) => [group, cost, unpricedCalls])).toEqual([
    ['large', expect.closeTo(0.012, 10), 0],
    ['voice-1', expect.closeTo(0.0036, 10), 0],
    ['small', undefined, 2],
  ]);
  expect(data.total.cost).toBeCloseTo(0.0156, 10);
  expect(data.unpricedModels).toEqual(['small']);

  // A price that lacks what was used is no price.
  const half = await usage(source, { ...asked, prices: { ...prices, large: { inputPerMillionTokens: 2 } } });
  expect(half.data.unpricedModels).toEqual(['large', 'small']);
});

test('what a step of another name speaks counts where its kind is said', async () => {
  const spoken = new MemorySource(
    recordConversation({
      conversationId: 'three',
      startTime: '2025-10-08T10:00:00Z',
      steps: [{ step: 'utter', offsetMs: 0, durationMs: 100, inputChars: 10 }],
    }),
  );
  expect((await usage(spoken, asked)).data.rows).toEqual([]);
  const { data } = await usage(spoken, { ...asked, kindOf: () => 'text_to_speech' });
  expect(data.rows).toEqual([{ calls: 1, spokenChars: 10, unpricedCalls: 0 }]);
});

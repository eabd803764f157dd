import { describe, expect, test } from '@jest/globals';
import { MemorySource, parseInstant, usage } from '@convotel/query';
import type { ModelPrice, UsageGroup, UsageRow } from '@convotel/query';
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
    unmeasuredModels: [],
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

describe('audio', () => {
  const calls = new MemorySource(
    [
      { step: 'stt', model: 'listener', audioSeconds: 90, inputChars: 12 },
      { step: 'tts', model: 'voice', inputChars: 2000, audioSeconds: 30 },
      { step: 'gpt', model: 'talker', inputTokens: 1000, audioSeconds: 10 },
      { step: 'hear', audioSeconds: 5 },
    ].flatMap((step, index) =>
      recordConversation({
        conversationId: `audio ${index}`,
        startTime: '2025-10-08T10:00:00Z',
        steps: [{ offsetMs: 0, durationMs: 100, ...step }],
      }),
    ),
  );

  test('is added up in seconds, also where a call says nothing else', async () => {
    const { rows, total } = (await usage(calls, { ...asked, by: 'step' })).data;
    expect(rows.map(({ group, audioSeconds }) => [group, audioSeconds])).toEqual([
      ['gpt', 10],
      ['hear', 5],
      ['stt', 90],
      ['tts', 30],
    ]);
    expect(total.audioSeconds).toBe(135);
  });

  test.each<[string, Record<string, ModelPrice>, Record<string, number>, string[], string[]]>([
    [
      'is paid by the minute',
      { listener: { perAudioMinute: 0.6 }, voice: { perAudioMinute: 2 }, talker: { inputPerMillionTokens: 3 } },
      { listener: 0.9, voice: 1, talker: 0.003 },
      [],
      [],
    ],
    [
      'is paid by the character where that is the price',
      { listener: { perAudioMinute: 0.6 }, voice: { perMillionCharacters: 15 } },
      { listener: 0.9, voice: 0.03 },
      ['talker'],
      [],
    ],
    [
      'is paid by the minute alone where there are both prices',
      { voice: { perMillionCharacters: 15, perAudioMinute: 2 } },
      { voice: 1 },
      ['listener', 'talker'],
      [],
    ],
    [
      'without a price for it has no cost, and nor has what is paid by the token where no token is known',
      { listener: { inputPerMillionTokens: 1 }, voice: { outputPerMillionTokens: 1 } },
      {},
      ['listener', 'talker', 'voice'],
      [],
    ],
  ])('%s', async (_name, prices, costs, unpriced, unmeasured) => {
    const { data } = await usage(calls, { ...asked, prices });
    const found = data.rows.flatMap(({ group, cost }) => (cost === undefined ? [] : [[group, cost] as const]));
    expect(Object.keys(costs).length).toBe(found.length);
    for (const [group, cost] of found) expect(cost).toBeCloseTo(costs[group!]!, 10);
    expect([data.unpricedModels, data.unmeasuredModels]).toEqual([unpriced, unmeasured]);
  });

  test('that nobody measured is in no cost, and its model is named', async () => {
    const silent = new MemorySource(
      recordConversation({
        conversationId: 'silent',
        startTime: '2025-10-08T10:00:00Z',
        steps: [{ step: 'stt', offsetMs: 0, durationMs: 100, model: 'listener' }],
      }),
    );
    const { data } = await usage(silent, { ...asked, prices: { listener: { perAudioMinute: 0.6 } } });
    expect(data).toMatchObject({
      rows: [{ group: 'listener', unpricedCalls: 1 }],
      unpricedModels: [],
      unmeasuredModels: ['listener'],
    });
    expect(data.total.cost).toBeUndefined();
  });
});

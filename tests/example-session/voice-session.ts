import { plansEvery, stepsOf } from './conversation-plan.ts';
import type { ConversationPlan, PlansByName, StepPlan } from './conversation-plan.ts';
import { durationsWithFigures } from './durations-with-figures.ts';

/** The spans behind `voice-session.txt`: a voice assistant of five steps in Berlin. */
export const VOICE_PLANS: PlansByName = {
  'four-conversations': [
    {
      id: '20251008_143022_a1b2c3d4',
      start: '2025-10-08T14:30:22.123456+02:00',
      // Four gaps of 49.5 µs: the end is 6.864198 s after the start, the total 6.864 s.
      steps: stepsOf({ request: 150, stt: 1234, gpt: 3567, tts: 1456, response: 457 }).map((step, index) => ({
        ...step,
        gapMs: index === 0 ? 0 : 0.0495,
      })),
    },
    {
      id: '20251008_143035_e5f6g7h8',
      start: '2025-10-08T14:30:35.567890+02:00',
      steps: stepsOf({ request: 148, stt: 1180, gpt: 3300, tts: 1390, response: 450 }),
    },
    {
      id: '20251008_143048_i9j0k1l2',
      start: '2025-10-08T14:30:48.901234+02:00',
      steps: stepsOf({ request: 152, stt: 1270, gpt: 3490, tts: 1410, response: 460 }),
    },
    {
      id: '20251008_143101_m3n4o5p6',
      start: '2025-10-08T14:31:01.234567+02:00',
      steps: [
        { step: 'request', durationMs: 150 },
        {
          step: 'stt',
          durationMs: 1200,
          gapMs: 10,
          input: '<audio_data>',
          output: 'Tell me a story about a robot',
        },
        {
          step: 'gpt',
          durationMs: 500,
          gapMs: 50,
          input: 'Tell me a story about a robot',
          error: 'API rate limit exceeded',
        },
      ],
    },
  ],
  'forty-five-conversations': fortyFiveConversations(),
  'slow-conversations': [
    slowConversation('20251008_145623_x1y2z3a4', '14:56:23', 12_345),
    slowConversation('20251008_150134_b5c6d7e8', '15:01:34', 10_987),
    slowConversation('20251008_151245_f9g0h1i2', '15:12:45', 9234),
    slowConversation('20251008_152356_j3k4l5m6', '15:23:56', 8567),
    slowConversation('20251008_153467_n7o8p9q0', '15:35:07', 8123),
    slowConversation('20251008_154001_at_the_threshold', '15:40:01', 8000),
    slowConversation('20251008_154512_quick', '15:45:12', 6300),
  ],
  'busy-hours': [
    ...hourOfConversations('2025-10-08T14', 3),
    ...hourOfConversations('2025-10-08T15', 5),
    ...hourOfConversations('2025-10-08T16', 2),
    ...hourOfConversations('2025-10-08T17', 8),
    ...hourOfConversations('2025-10-08T18', 4),
    // More than a week earlier: counted by hour of the day, no longer by hour.
    ...hourOfConversations('2025-09-20T14', 15),
    ...hourOfConversations('2025-09-20T15', 10),
    ...hourOfConversations('2025-09-20T16', 10),
    ...hourOfConversations('2025-09-20T17', 15),
    ...hourOfConversations('2025-09-20T18', 6),
  ],
  'before-and-after': [
    ...optimized('before_', '2025-10-08T02:00:00+02:00', 3421.8, 457),
    // Another step got 1.1 ms longer: the total falls by 586.2 ms, from 6863.6 to 6277.4.
    ...optimized('after_', '2025-10-09T02:00:00+02:00', 2834.5, 458.1),
  ],
  'troubled-hour': [
    ...plansEvery(2, { prefix: 'slow_', start: '2025-10-08T19:10:00+02:00', count: 5 }, () =>
      stepsOf({ request: 150, stt: 1200, gpt: 6900 }),
    ),
    ...plansEvery(2, { prefix: 'quick_', start: '2025-10-08T19:25:00+02:00', count: 4 }, () =>
      stepsOf({ request: 150, stt: 1200, gpt: 3400 }),
    ),
    ...plansEvery(2, { prefix: 'failed_', start: '2025-10-08T19:40:00+02:00', count: 3 }, () => [
      ...stepsOf({ request: 150, stt: 1200 }),
      { step: 'gpt', durationMs: 500, error: 'API rate limit exceeded' },
    ]),
  ],
};

function fortyFiveConversations(): ConversationPlan[] {
  const ends = (leastMs: number, mostMs: number) => ({ 0: leastMs, 44: mostMs });
  const durations = {
    request: durationsWithFigures({ count: 45, meanMs: 147.2, pinned: ends(102.3, 234.5) }),
    stt: durationsWithFigures({ count: 45, meanMs: 1234.5, pinned: ends(890.2, 2345.6) }),
    // Percentile p of 45 stands at place 44·p, so these places fix all of them.
    gpt: durationsWithFigures({
      count: 45,
      meanMs: 3421.8,
      pinned: {
        0: 2100.5,
        4: 2345.6,
        5: 2345.6,
        11: 2987.4,
        22: 3421.8,
        33: 4123.5,
        39: 4876.2,
        40: 4876.2,
        41: 5234.8,
        42: 5234.8,
        43: 5678.9,
        44: 5678.9,
      },
    }),
    tts: durationsWithFigures({ count: 45, meanMs: 1345.6, pinned: ends(987.3, 1890.4) }),
    response: durationsWithFigures({ count: 45, meanMs: 456.7, pinned: ends(234.1, 678.9) }),
  };
  return plansEvery(20, { prefix: 'day_', start: '2025-10-08T02:00:00+02:00', count: 45 }, (index) =>
    stepsOf({
      request: durations.request[index]!,
      stt: durations.stt[(index * 7) % 45]!,
      gpt: durations.gpt[(index * 11) % 45]!,
      tts: durations.tts[(index * 13) % 45]!,
      response: durations.response[(index * 17) % 45]!,
    }),
  );
}

function slowConversation(id: string, time: string, totalMs: number): ConversationPlan {
  const others = { request: 150, stt: 1250, tts: 1350, response: 450 };
  const gpt = totalMs - 150 - 1250 - 1350 - 450;
  return {
    id,
    start: `2025-10-08T${time}+02:00`,
    steps: stepsOf({ request: others.request, stt: others.stt, gpt, tts: others.tts, response: others.response }),
  };
}

function hourOfConversations(hour: string, count: number): ConversationPlan[] {
  return plansEvery(3, { prefix: `${hour}_`, start: `${hour}:00:00+02:00`, count }, () => stepsOf({ request: 150 }));
}

/** 45 conversations whose language model takes `gptMs` on average, 400 ms more or less, and nothing else varies. */
function optimized(prefix: string, start: string, gptMs: number, responseMs: number): ConversationPlan[] {
  return plansEvery(20, { prefix, start, count: 45 }, (index): StepPlan[] => {
    const aroundMean = index === 44 ? 0 : index % 2 === 0 ? 400 : -400;
    return stepsOf({
      request: 150,
      stt: 1378.8,
      gpt: gptMs + aroundMean,
      tts: 1456,
      response: responseMs + aroundMean / 8,
    });
  });
}

import { plansEvery, stepsOf } from './conversation-plan.ts';
import type { ConversationPlan, PlansByName } from './conversation-plan.ts';

/** The spans behind `support-session.txt`: a telephone line of six steps, with names of its own, in Kolkata. */
export const SUPPORT_PLANS: PlansByName = {
  'eight-calls': [
    {
      id: 'call-0001',
      start: '2026-03-02T09:15:00.000250+05:30',
      // Five gaps of 60 ms: the wall clock is 300 ms longer than the total.
      steps: stepsOf({ listen: 200, asr: 900, retrieve: 310.4, llm: 2100, speak: 4000.2, play: 800 }).map(
        (step, index) => ({ ...step, gapMs: index === 0 ? 0 : 60 }),
      ),
    },
    call('call-0002', '09:20:00', 4500),
    call('call-0003', '09:25:00', 1100),
    call('call-0004', '09:30:00', 1200),
    call('call-0005', '09:35:00', 1300),
    call('call-0006', '09:40:00', 1400),
    call('call-0007', '09:45:00', 1500),
    {
      id: 'call-0008',
      start: '2026-03-02T10:00:00.5+05:30',
      steps: [
        { step: 'listen', durationMs: 180 },
        { step: 'asr', durationMs: 1000, gapMs: 20, input: '<audio_data>', output: 'Where is my parcel?' },
        { step: 'retrieve', durationMs: 250, gapMs: 20, timingsMs: { index: 40 } },
        { step: 'llm', durationMs: 1900, gapMs: 20, inputChars: 19, firstOutputMs: 350 },
        { step: 'speak', durationMs: 30, gapMs: 20, error: 'connect ECONNREFUSED 10.0.0.7:443' },
      ],
    },
  ],
  'twenty-one-calls': [
    ...plansEvery(10, { prefix: 'call-', start: '2026-03-02T10:00:00+05:30', count: 20 }, (index) =>
      index % 2 === 0
        ? stepsOf({ listen: 300, asr: 800, retrieve: 90, llm: 3000, speak: 200, play: 1500 })
        : stepsOf({ listen: 340, asr: 1600, retrieve: 110, llm: 1000, speak: 2400, play: 1540 }),
    ),
    {
      id: 'cut-off',
      start: '2026-03-02T19:00:00+05:30',
      steps: [...stepsOf({ listen: 320 }), { step: 'asr', durationMs: 50, error: 'no speech detected' }],
    },
  ],
  'slow-calls': [
    slowCall('slow-1', '11:00:00', { llm: 1400, speak: 3000 }),
    slowCall('slow-2', '11:05:00', { llm: 1500, speak: 9000 }),
    slowCall('slow-3', '11:10:00', { llm: 1750, speak: 3500 }),
    slowCall('quick', '11:15:00', { llm: 1000, speak: 1000 }),
  ],
  'calls-around-midnight': [
    ...plansEvery(20, { prefix: 'late-', start: '2026-03-01T23:00:00+05:30', count: 2 }, () => stepsOf({ listen: 1 })),
    ...plansEvery(15, { prefix: 'new-', start: '2026-03-02T00:00:00+05:30', count: 4 }, () => stepsOf({ listen: 1 })),
    ...plansEvery(15, { prefix: 'am-', start: '2026-03-02T09:59:00+05:30', count: 1 }, () => stepsOf({ listen: 1 })),
    // Within a week, but not within 48 hours.
    ...plansEvery(5, { prefix: 'old-', start: '2026-02-26T09:00:00+05:30', count: 5 }, () => stepsOf({ listen: 1 })),
  ],
  'before-and-after': [
    ...optimizedCalls('before-', '2026-03-02T10:00:00+05:30', 2000),
    ...optimizedCalls('after-', '2026-03-02T21:00:00+05:30', 1500),
  ],
};

function call(id: string, time: string, speakMs: number): ConversationPlan {
  return {
    id,
    start: `2026-03-02T${time}+05:30`,
    steps: stepsOf({ listen: 200, asr: 900, retrieve: 300, llm: 2000, speak: speakMs, play: 800 }),
  };
}

function slowCall(id: string, time: string, { llm, speak }: { llm: number; speak: number }): ConversationPlan {
  return {
    id,
    start: `2026-03-02T${time}+05:30`,
    steps: stepsOf({ listen: 200, asr: 900, retrieve: 300, llm, speak, play: 600 }),
  };
}

function optimizedCalls(prefix: string, start: string, llmMs: number): ConversationPlan[] {
  return plansEvery(30, { prefix, start, count: 12 }, (index) =>
    stepsOf({
      listen: 320,
      asr: 1200,
      retrieve: 100,
      llm: llmMs + (index % 2 === 0 ? 50 : -50),
      speak: 1300,
      play: 1520,
    }),
  );
}

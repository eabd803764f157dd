import { describe, expect, test } from '@jest/globals';
import {
  allStepsCompleted,
  bottleneckStep,
  unattributedTime,
  unsuccessfulStep,
  wholeSession,
} from '../../../src/answers/conversation/step-findings.ts';
import { goodBaseline, overTarget, slowStep, totalDuration } from '../../../src/answers/conversation/summary.ts';
import { summaryFacts, textsOf } from '../facts-for-tests.ts';

describe('total-duration', () => {
  test('names the duration by the clock, whatever its steps add up to', () => {
    const steps = [{ step: 'gpt', durationMs: 5000 }];
    expect(textsOf(totalDuration(summaryFacts(steps, { durationMs: 5050 })))).toEqual([
      'Total conversation took 5.05 seconds',
    ]);
    expect(textsOf(totalDuration(summaryFacts(steps, { durationMs: 2500 })))).toEqual([
      'Total conversation took 2.50 seconds',
    ]);
  });

  test('says of an open conversation that it goes on, and nothing of one without steps', () => {
    expect(textsOf(totalDuration(summaryFacts([{ step: 'gpt', durationMs: 500 }], { outcome: 'open' })))).toEqual([
      'Conversation has taken 0.50 seconds so far',
    ]);
    expect(totalDuration(summaryFacts([]))).toEqual([]);
  });
});

describe('bottleneck-step', () => {
  test('names a step from 40 % of the total on', () => {
    expect(
      bottleneckStep(
        summaryFacts([
          { step: 'a', durationMs: 3999 },
          { step: 'b', durationMs: 3001 },
          { step: 'c', durationMs: 3000 },
        ]),
      ),
    ).toEqual([]);
    expect(
      bottleneckStep(
        summaryFacts([
          { step: 'rank', durationMs: 4000 },
          { step: 'b', durationMs: 3000 },
          { step: 'c', durationMs: 3000 },
        ]),
      ),
    ).toEqual([
      {
        rule: 'bottleneck-step',
        severity: 'warning',
        text: 'Rank step is the bottleneck (4.00s = 40% of total)',
        evidence: { step: 'rank', calls: 1, durationMs: 4000, sharePct: 40 },
      },
    ]);
  });

  test('adds the attempts of a step up', () => {
    const facts = summaryFacts([
      { step: 'stt', durationMs: 4000 },
      { step: 'gpt', durationMs: 3000, outcome: 'failed' },
      { step: 'gpt', durationMs: 3000, attempt: 2 },
    ]);
    expect(textsOf(bottleneckStep(facts))).toEqual([
      'GPT step is the bottleneck (2 calls, 6.00s = 60% of total)',
      'STT step takes most of the rest (4.00s = 40% of total)',
    ]);
  });

  test('leaves nested steps out, and says nothing of a single step or of no time at all', () => {
    const nested = summaryFacts([
      { step: 'gpt', durationMs: 900 },
      { step: 'tool', durationMs: 800, depth: 1 },
      { step: 'tts', durationMs: 100 },
    ]);
    expect(textsOf(bottleneckStep(nested))).toEqual(['GPT step is the bottleneck (0.90s = 90% of total)']);
    expect(bottleneckStep(summaryFacts([{ step: 'gpt', durationMs: 900 }]))).toEqual([]);
    expect(
      bottleneckStep(
        summaryFacts([
          { step: 'a', durationMs: 0 },
          { step: 'b', durationMs: 0 },
        ]),
      ),
    ).toEqual([]);
  });
});

describe('all-steps-completed', () => {
  const completed = [{ step: 'stt', durationMs: 1 }];
  test.each([
    ['completed', 'All steps completed successfully'],
    ['open', 'All steps so far completed successfully'],
    ['failed', 'All steps that ran completed, yet the conversation failed'],
    ['timed_out', 'All steps that ran completed, yet the conversation timed out'],
    ['abandoned', 'All steps that ran completed, yet the conversation was abandoned'],
    ['interrupted', 'All steps that ran completed, yet the conversation was interrupted'],
  ] as const)('of a conversation that is %s', (outcome, text) => {
    expect(textsOf(allStepsCompleted(summaryFacts(completed, { outcome })))).toEqual([text]);
  });

  test('stays away when a step did not complete, and without steps', () => {
    const steps = [...completed, { step: 'tts', durationMs: 1, outcome: 'interrupted' as const }];
    expect(allStepsCompleted(summaryFacts(steps))).toEqual([]);
    expect(allStepsCompleted(summaryFacts([]))).toEqual([]);
  });
});

describe('unsuccessful-step', () => {
  const failed = { step: 'gpt', durationMs: 5, outcome: 'failed' as const };
  test.each([
    [{ errorMessage: 'API rate limit exceeded' }, 'GPT step failed due to API rate limit'],
    [{ errorType: '429' }, 'GPT step failed due to API rate limit'],
    [{ errorMessage: 'the parrot is dead' }, 'GPT step failed: the parrot is dead'],
    [{ errorType: 'ParrotError' }, 'GPT step failed: ParrotError'],
    [{ errorMessage: '' }, 'GPT step failed'],
    [{}, 'GPT step failed'],
    [{ outcome: 'timed_out', errorMessage: 'deadline exceeded' }, 'GPT step timed out'],
    [{ outcome: 'timed_out', errorMessage: 'the parrot is dead' }, 'GPT step timed out'],
    [{ outcome: 'timed_out', errorMessage: 'too many requests' }, 'GPT step timed out due to API rate limit'],
    [{ outcome: 'abandoned', errorType: 'abandoned' }, 'GPT step was abandoned (the program went away)'],
    [{ outcome: 'interrupted' }, 'GPT step was interrupted'],
  ] as const)('%j', (error, text) => {
    expect(textsOf(unsuccessfulStep(summaryFacts([{ ...failed, ...error }], { outcome: 'failed' })))).toEqual([text]);
  });

  test('says when the conversation went on, and when a later attempt completed', () => {
    expect(textsOf(unsuccessfulStep(summaryFacts([{ ...failed, errorMessage: 'x' }])))).toEqual([
      'GPT step failed: x (the conversation went on)',
    ]);
    const retried = [failed, { ...failed, attempt: 2 }, { ...failed, outcome: 'completed' as const, attempt: 3 }];
    expect(unsuccessfulStep(summaryFacts(retried))).toMatchObject([
      { severity: 'info', text: 'GPT step completed on attempt 3', evidence: { failures: 2 } },
    ]);
  });

  test('cuts a message that is too long, between characters', () => {
    const facts = summaryFacts([{ ...failed, errorMessage: '🦜'.repeat(121) }], { outcome: 'failed' });
    expect(textsOf(unsuccessfulStep(facts))).toEqual([`GPT step failed: ${'🦜'.repeat(119)}…`]);
    const longestWhole = summaryFacts([{ ...failed, errorMessage: 'x'.repeat(120) }], { outcome: 'failed' });
    expect(textsOf(unsuccessfulStep(longestWhole))).toEqual([`GPT step failed: ${'x'.repeat(120)}`]);
  });

  test('rests on what the error says', () => {
    const steps = [{ ...failed, errorType: 'ParrotError', errorMessage: 'dead' }];
    expect(unsuccessfulStep(summaryFacts(steps))[0]?.evidence).toEqual({
      step: 'gpt',
      outcome: 'failed',
      failures: 1,
      errorType: 'ParrotError',
      errorMessage: 'dead',
    });
  });

  test('takes two calls without a number of attempt for two calls', () => {
    const steps = [failed, { ...failed, outcome: 'completed' as const }];
    expect(textsOf(unsuccessfulStep(summaryFacts(steps)))).toEqual(['GPT step failed (the conversation went on)']);
    const others = [failed, { step: 'tool', durationMs: 1, attempt: 2 }];
    expect(textsOf(unsuccessfulStep(summaryFacts(others)))).toEqual([
      'GPT step failed (the conversation went on)',
      'Tool step completed on attempt 2',
    ]);
  });

  test('stays away from completed steps and from nested ones', () => {
    const steps = [
      { step: 'gpt', durationMs: 1 },
      { ...failed, depth: 1 },
    ];
    expect(unsuccessfulStep(summaryFacts(steps))).toEqual([]);
  });
});

describe('good-baseline and over-target', () => {
  test('a total under the target is good, one that reaches it is over', () => {
    expect(textsOf(goodBaseline(summaryFacts([{ step: 'gpt', durationMs: 6999.9 }])))).toEqual([
      'Good baseline for optimization',
    ]);
    expect(overTarget(summaryFacts([{ step: 'gpt', durationMs: 6999.9 }]))).toEqual([]);
    expect(goodBaseline(summaryFacts([{ step: 'gpt', durationMs: 7000 }]))).toEqual([]);
    expect(textsOf(overTarget(summaryFacts([{ step: 'gpt', durationMs: 8500 }], {}, 7500)))).toEqual([
      'Total is 1.00 seconds over the target of 7.5 seconds',
    ]);
    expect(overTarget(summaryFacts([{ step: 'gpt', durationMs: 7000 }]))).toHaveLength(1);
  });

  test('no baseline where a step or the conversation did not complete, or nothing ran', () => {
    const step = { step: 'gpt', durationMs: 1 };
    expect(goodBaseline(summaryFacts([{ ...step, outcome: 'failed' }]))).toEqual([]);
    expect(goodBaseline(summaryFacts([step], { outcome: 'open' }))).toEqual([]);
    expect(goodBaseline(summaryFacts([]))).toEqual([]);
  });
});

describe('slow-step', () => {
  test('appears above the warning sign of the kind of step', () => {
    expect(slowStep(summaryFacts([{ step: 'asr', durationMs: 3000 }]))).toEqual([]);
    expect(textsOf(slowStep(summaryFacts([{ step: 'asr', durationMs: 3100 }])))).toEqual([
      'ASR step took 3.1s, a warning sign (over 3s)',
    ]);
  });

  test('stays away from steps of no known kind and from those that did not complete', () => {
    const steps = [
      { step: 'ponder', durationMs: 50_000 },
      { step: 'gpt', durationMs: 50_000, outcome: 'timed_out' as const },
    ];
    expect(slowStep(summaryFacts(steps))).toEqual([]);
  });
});

describe('unattributed-time', () => {
  test('appears from 10 % of the wall clock on', () => {
    const steps = [{ step: 'gpt', durationMs: 9000 }];
    expect(unattributedTime(summaryFacts(steps, { durationMs: 10_000, unattributedMs: 999 }))).toEqual([]);
    expect(textsOf(unattributedTime(summaryFacts(steps, { durationMs: 10_000, unattributedMs: 1000 })))).toEqual([
      '1.00 seconds (10% of the wall clock) passed outside any step',
    ]);
    expect(unattributedTime(summaryFacts([], { durationMs: 10, unattributedMs: 10 }))).toEqual([]);
    expect(unattributedTime(summaryFacts(steps, { durationMs: 0, unattributedMs: 0 }))).toEqual([]);
  });
});

describe('whole-session', () => {
  const turn = [
    { step: 'stt', durationMs: 600 },
    { step: 'gpt', durationMs: 1500 },
    { step: 'tts', durationMs: 400 },
  ];

  test('says that a call was recorded as one conversation, instead of judging it by the target', () => {
    const facts = summaryFacts([...turn, ...turn, ...turn], { durationMs: 37_500 });
    expect(textsOf(wholeSession(facts))).toEqual([
      'STT ran 3 times: this looks like a whole session recorded as one conversation. Start a conversation for each exchange, with one sessionId for all',
    ]);
    expect(overTarget(facts)).toEqual([]);
    expect(goodBaseline(summaryFacts([...turn, ...turn]))).toEqual([]);
  });

  test('is said of any repeated step in more than a minute, but of no loop of tools, and no retries', () => {
    const chat = [
      { step: 'gpt', durationMs: 1500 },
      { step: 'tool', durationMs: 100 },
      { step: 'gpt', durationMs: 1500 },
    ];
    expect(wholeSession(summaryFacts(chat))).toEqual([]);
    expect(wholeSession(summaryFacts(chat, { durationMs: 60_000 }))).toEqual([]);
    expect(textsOf(wholeSession(summaryFacts(chat, { durationMs: 60_001 })))[0]).toMatch(/^GPT ran 2 times/);
    expect(
      wholeSession(
        summaryFacts([
          { step: 'stt', durationMs: 9 },
          { step: 'stt', durationMs: 9, attempt: 2 },
        ]),
      ),
    ).toEqual([]);
    expect(wholeSession(summaryFacts([]))).toEqual([]);
  });
});

test('of steps side by side one is the bottleneck', () => {
  const at = (fromMs: number, toMs: number): { startTime: string; endTime: string; durationMs: number } => ({
    startTime: new Date(Date.UTC(2025, 9, 8) + fromMs).toISOString().replace('Z', '000Z'),
    endTime: new Date(Date.UTC(2025, 9, 8) + toMs).toISOString().replace('Z', '000Z'),
    durationMs: toMs - fromMs,
  });
  const tools = [0, 1, 2, 3, 4].map((tool) => ({ step: `tool.${tool}`, ...at(0, 1700) }));
  const steps = [...tools, { step: 'gpt', ...at(1700, 3000) }, { step: 'tts', ...at(1900, 3200) }];
  expect(textsOf(bottleneckStep(summaryFacts(steps, { durationMs: 3200 })))).toEqual([
    'tool.0 step is the bottleneck (1.70s = 53% of total)',
    'GPT step takes most of the rest (1.30s = 41% of total)',
  ]);
  // Calls of one step side by side are not added up.
  const calls = [0, 1, 2].map(() => ({ step: 'tool', ...at(0, 1700) }));
  expect(
    textsOf(bottleneckStep(summaryFacts([...calls, { step: 'gpt', ...at(1700, 3000) }], { durationMs: 3000 }))),
  ).toEqual([
    'Tool step is the bottleneck (3 calls, 1.70s = 57% of total)',
    'GPT step takes most of the rest (1.30s = 43% of total)',
  ]);
});

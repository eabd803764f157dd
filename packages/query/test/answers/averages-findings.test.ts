import { describe, expect, test } from '@jest/globals';
import { stepSpread, unmeasuredStep } from '../../src/answers/averages.ts';
import { averageRow, textsOf } from './facts-for-tests.ts';

describe('step-spread', () => {
  const textOf = (...row: Parameters<typeof averageRow>): string | undefined =>
    textsOf(stepSpread({ rows: [averageRow(...row)], meanTotalMs: 1000 }))[0];

  test('very consistent below 10 % of a conversation, fairly below 20 %, else wide', () => {
    expect(textOf('ponder', 250, 200, 299.9)).toBe('PONDER: Very consistent (~250ms)');
    expect(textOf('ponder', 250, 200, 300)).toBe('PONDER: Fairly consistent (200-300ms)');
    expect(textOf('ponder', 250, 200, 399.9)).toBe('PONDER: Fairly consistent (200-399ms)');
    expect(textOf('ponder', 250, 200, 400)).toBe('PONDER: Wide range (200-400ms)');
  });

  test('adds the phrase of the kind of step', () => {
    expect(textOf('listen', 250, 200, 250)).toBe('LISTEN: Very consistent (~250ms) - good');
    expect(textOf('llm', 250, 200, 350)).toBe('LLM: Fairly consistent (200-350ms) - API latency varies');
    expect(textOf('play', 250, 200, 250)).toBe('PLAY: Very consistent (~250ms) - audio playback stable');
  });

  test('calls the widest of several wide steps the most variable, and none where two are equally wide', () => {
    const texts = (...maxima: number[]): string[] =>
      textsOf(
        stepSpread({ rows: maxima.map((maxMs, i) => averageRow(`step${i}`, 200, 100, maxMs)), meanTotalMs: 1000 }),
      );
    expect(texts(400, 500)).toEqual(['step0: Wide range (100-400ms)', 'step1: Most variable (100-500ms)']);
    expect(texts(500, 500)).toEqual(['step0: Wide range (100-500ms)', 'step1: Wide range (100-500ms)']);
    expect(texts(500, 120)).toEqual(['step0: Wide range (100-500ms)', 'step1: Very consistent (~200ms)']);
  });

  test('says that a step is slow instead of praising it', () => {
    const [finding] = stepSpread({ rows: [averageRow('play', 1000.1, 1000, 1001)], meanTotalMs: 1000 });
    expect(finding).toMatchObject({
      severity: 'warning',
      text: 'PLAY: Very consistent (~1000ms) - slow on average, over 1s',
    });
    expect(textOf('play', 1000, 1000, 1000)).toBe('PLAY: Very consistent (~1000ms) - audio playback stable');
  });

  test('rounds the centre to 50 ms, and short ones so that they still say something', () => {
    expect(textOf('ponder', 174.9, 174, 175)).toBe('PONDER: Very consistent (~150ms)');
    expect(textOf('ponder', 175, 174, 175)).toBe('PONDER: Very consistent (~200ms)');
    expect(textOf('ponder', 100, 99, 120)).toBe('PONDER: Very consistent (~100ms)');
    expect(textOf('ponder', 99, 99, 99)).toBe('PONDER: Very consistent (~100ms)');
    expect(textOf('ponder', 24, 24, 24)).toBe('PONDER: Very consistent (~20ms)');
    expect(textOf('ponder', 7.4, 7, 8)).toBe('PONDER: Very consistent (~7ms)');
    expect(textOf('ponder', 0.4, 0, 1)).toBe('PONDER: Very consistent (<1ms)');
  });

  test('does not judge fewer than 5 calls', () => {
    expect(textOf('llm', 250, 100, 900, { count: 4 })).toBe('LLM: Too few calls to judge the spread (4)');
    expect(textOf('llm', 250, 100, 900, { count: 5 })).toBe('LLM: Wide range (100-900ms) - API latency varies');
  });

  test('of many steps, those that stand out have their own sentence, and the others one together', () => {
    const rows = [
      averageRow('pour', 450, 200, 900),
      ...Array.from({ length: 10 }, (_none, index) => averageRow(`tool_${index}`, 250, 200, 250)),
      averageRow('sendMail', 250, 200, 350),
      averageRow('play', 1000.1, 1000, 1001),
      averageRow('rare', 250, 100, 900, { count: 4 }),
    ];
    const found = stepSpread({ rows, meanTotalMs: 1000 });
    expect(textsOf(found)).toEqual([
      'POUR: Wide range (200-900ms)',
      'PLAY: Very consistent (~1000ms) - slow on average, over 1s',
      'Very consistent: tool_0, tool_1, tool_2, tool_3, tool_4, tool_5, tool_6, tool_7 and 2 more',
      'Fairly consistent: sendMail',
      'Too few calls to judge the spread: rare',
    ]);
    expect(found[2]?.evidence['steps']).toHaveLength(10);
  });

  test('says nothing where there is no conversation, no time, or no average', () => {
    const rows = [averageRow('llm', 250, 100, 900)];
    expect(stepSpread({ rows })).toEqual([]);
    expect(stepSpread({ rows, meanTotalMs: 0 })).toEqual([]);
    const { step, leftOut, timings } = averageRow('llm', 0, 0, 0);
    expect(stepSpread({ rows: [{ step, leftOut, timings, count: 0 }], meanTotalMs: 1000 })).toEqual([]);
  });
});

describe('unmeasured-step', () => {
  test('appears for a step of which nothing counts, and only then', () => {
    const nothing = { step: 'llm', count: 0, leftOut: { tooLong: 1, notCompleted: 2 }, timings: {} };
    expect(textsOf(unmeasuredStep({ rows: [nothing, averageRow('tts', 1, 1, 1, { count: 1 })] }))).toEqual([
      'LLM: Nothing to average (3 calls left out)',
    ]);
    const one = { ...nothing, leftOut: { tooLong: 0, notCompleted: 1 } };
    expect(textsOf(unmeasuredStep({ rows: [one] }))).toEqual(['LLM: Nothing to average (1 call left out)']);
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Correlation, Explanation, Satisfaction } from '@convotel/query';
import { correlationText } from '../../src/commands/correlation.ts';
import { explainText } from '../../src/commands/explain.ts';
import { satisfactionText } from '../../src/commands/satisfaction.ts';
import { ASKED, CONTEXT, finding, linesOf, report } from './reports-for-tests.ts';

describe('explain', () => {
  const DATA: Explanation = {
    conversationId: 'c-1',
    traceId: '0'.repeat(31) + '1',
    startTime: '2025-10-08T14:30:22.123456Z',
    endTime: '2025-10-08T14:30:32.123456Z',
    outcome: 'timed_out',
    durationMs: 10_000,
    path: [
      { step: 'stt', spanId: 'a', offsetMs: 0, durationMs: 1000 },
      { offsetMs: 1000, durationMs: 99 },
      { step: 'gpt', spanId: 'b', offsetMs: 1099, durationMs: 6901 },
      { offsetMs: 8000, durationMs: 2000 },
    ],
    gapMs: 2099,
    steps: [
      { step: 'stt', spanId: 'a', outcome: 'timed_out', durationMs: 1000, onPathMs: 1000, sharePct: 10 },
      {
        step: 'gpt',
        spanId: 'b',
        outcome: 'completed',
        durationMs: 6901,
        onPathMs: 6901,
        sharePct: 69.01,
        percentile: 97,
        calls: 120,
        usualMs: 3400,
      },
    ],
    retries: [],
  };

  test('shows what was waited for, its place among the same calls, and gaps that count', () => {
    expect(linesOf(explainText(report('explain', DATA, [finding('x', 'It took long')]), CONTEXT)).slice(1)).toEqual([
      'Critical Path: c-1',
      '='.repeat(80),
      'Start Time:    2025-10-08T14:30:22.123456',
      'End Time:      2025-10-08T14:30:32.123456',
      'Total Duration: 10.000s (10000ms)',
      'Outcome:       timed out',
      '',
      'Waited For      At (s) For (s)  Usually     Longer Than',
      '-'.repeat(80),
      'stt              0.000   1.000        -               -',
      'gpt              1.099   6.901    3.400      97% of 120',
      '(no step)        8.000   2.000        -               -',
      '='.repeat(80),
      '',
      'EXPLANATION:',
      '• It took long',
    ]);
  });

  test('draws the path, and waits apart from steps', () => {
    const lines = linesOf(explainText(report('explain', DATA), { ...CONTEXT, graph: true }));
    expect(lines.slice(10, 13).map((line) => line.slice(57))).toEqual([
      `|██${' '.repeat(19)}|`,
      `|  ${'█'.repeat(15)}    |`,
      `|${' '.repeat(16)}·····|`,
    ]);
  });

  test('says so where there is no step yet', () => {
    const empty: Explanation = { ...DATA, durationMs: 0, path: [], gapMs: 0, steps: [], outcome: 'open' };
    expect(linesOf(explainText(report('explain', empty), CONTEXT))).toContain('No step yet');
    const ended: Explanation = { ...empty, outcome: 'completed' };
    expect(linesOf(explainText(report('explain', ended), CONTEXT))).toContain('No step');
  });
});

describe('satisfaction', () => {
  const DATA: Satisfaction = {
    targetMs: 7000,
    conversations: 45,
    satisfied: 33,
    satisfiedPct: 73.33,
    interval: [58.97, 84.03],
    open: 2,
  };

  test('shows the rule, the share, how sure it is, and what is not counted', () => {
    expect(linesOf(satisfactionText(report('satisfaction', DATA), CONTEXT, ASKED)).slice(1)).toEqual([
      'Satisfaction (last 24 hours)',
      '='.repeat(60),
      'Satisfied when: completed in less than 7s',
      'Conversations:  45',
      'Satisfied:      33',
      'Share:          73.33%',
      '95% interval:   58.97% to 84.03%',
      'Not ended yet:  2, not counted',
      '='.repeat(60),
    ]);
  });

  test('says what it was judged by, and has no share without conversations', () => {
    const data: Satisfaction = {
      by: 'response',
      targetMs: 500,
      conversations: 0,
      satisfied: 0,
      open: 0,
      withoutResponse: 3,
    };
    expect(linesOf(satisfactionText(report('satisfaction', data), CONTEXT, ASKED)).slice(3)).toEqual([
      'Satisfied when: completed, and answered in less than 0.5s',
      'Conversations:  0',
      'Satisfied:      0',
      'Not measured:   3 without a response latency',
      '='.repeat(60),
    ]);
  });
});

describe('correlation', () => {
  const dataOf = (pairs: number): Correlation => ({
    steps: ['gpt', 'duration'],
    n: 45,
    matrix: [],
    ranked: Array.from({ length: pairs }, (_none, index) => ({
      a: `step-${index}`,
      b: 'duration',
      spearman: index === 1 ? -0.004 : 0.93,
      n: 44,
      ...(index === 0 ? { interval: [0.9, 0.951] as [number, number] } : {}),
    })),
  });

  test('lists the pairs with interval and number of conversations', () => {
    expect(linesOf(correlationText(report('correlation', dataOf(2)), CONTEXT, ASKED)).slice(1)).toEqual([
      'Correlation of Durations (last 24 hours, n = 45)',
      '='.repeat(80),
      'Step               With               Rank Corr.    95% Interval   Conv.',
      '-'.repeat(80),
      'step-0             duration                 0.93      0.90..0.95      44',
      'step-1             duration                 0.00               -      44',
      '='.repeat(80),
    ]);
  });

  test('says how many weaker pairs there are', () => {
    const lines = linesOf(correlationText(report('correlation', dataOf(16)), CONTEXT, ASKED));
    expect(lines.filter((line) => line.startsWith('step-'))).toHaveLength(15);
    expect(lines.at(-2)).toBe('1 weaker pair with --json or --csv');
    expect(linesOf(correlationText(report('correlation', dataOf(0)), CONTEXT, ASKED))).toContain(
      'No two durations to compare in this window',
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import {
  comparisonVerdict,
  endToEndChange,
  moreErrors,
  possibleChange,
  stepChange,
  totalChange,
} from '../../../src/answers/compare/compare-findings.ts';
import type { ComparisonRow } from '../../../src/answers/compare/compare-windows.ts';
import type { Severity } from '../../../src/findings/finding.ts';
import { comparisonRow, textsOf } from '../facts-for-tests.ts';

const SAME = comparisonRow('conversation', 6000, 6010, 'no clear change');

describe('step-change', () => {
  test('names clear changes of steps, the largest first, and never the conversation', () => {
    const rows = [
      comparisonRow('asr', 1000, 1100, 'slower'),
      comparisonRow('llm', 3421.8, 2834.5, 'faster'),
      comparisonRow('speak', 1000, 500, 'no clear change'),
      comparisonRow('play', 1000, 500, 'too few'),
      comparisonRow('conversation', 6863.6, 6277.4, 'faster'),
    ];
    expect(textsOf(stepChange({ rows }))).toEqual([
      'LLM time reduced by 587.3ms (17% improvement)',
      'ASR time increased by 100.0ms (10% slower)',
    ]);
  });

  test('calls the response latency by its name', () => {
    expect(textsOf(stepChange({ rows: [comparisonRow('response latency', 6000, 5400, 'faster'), SAME] }))).toEqual([
      'Response latency reduced by 600.0ms (10% improvement)',
    ]);
  });

  test('leaves out what is clear but below 1 % of the step', () => {
    expect(stepChange({ rows: [comparisonRow('llm', 1000, 990.1, 'faster'), SAME] })).toEqual([]);
    expect(textsOf(stepChange({ rows: [comparisonRow('llm', 1000, 990, 'faster'), SAME] }))).toEqual([
      'LLM time reduced by 10.0ms (1% improvement)',
    ]);
  });

  test('rests on the difference and its interval', () => {
    const rows = [comparisonRow('llm', 2000, 1500, 'faster'), SAME];
    expect(stepChange({ rows })[0]?.evidence).toEqual({
      step: 'llm',
      deltaMs: -500,
      deltaPct: -25,
      intervalMs: [-600, -400],
      verdict: 'faster',
    });
  });

  test('says nothing where there is nothing', () => {
    expect(stepChange({ rows: [] })).toEqual([]);
  });
});

describe('possible-change', () => {
  const row = (step: string, deltaMs: number, intervalMs: [number, number]): ComparisonRow => ({
    ...comparisonRow(step, 1000, 1000 + deltaMs, 'no clear change'),
    intervalMs,
  });

  test('puts a word beside an interval that leaves out 0 and is no clear change', () => {
    const rows = [row('asr', -60, [-118, -2]), row('llm', 60, [2, 118]), row('speak', 5, [-3, 13]), SAME];
    expect(possibleChange({ rows })).toEqual([
      {
        rule: 'possible-change',
        severity: 'info',
        text: 'ASR may be faster by 60ms, but among 4 rows that can be chance',
        evidence: { step: 'asr', deltaMs: -60, intervalMs: [-118, -2], verdict: 'no clear change', judged: 4 },
      },
      expect.objectContaining({ text: 'LLM may be slower by 60ms, but among 4 rows that can be chance' }),
    ]);
  });

  test('begins with a capital letter, also about the response latency', () => {
    const rows = [row('response latency', -60, [-118, -2]), row('conversation', -60, [-118, -2])];
    expect(possibleChange({ rows }).map(({ text }) => text)).toEqual([
      'Response latency may be faster by 60ms, but among 2 rows that can be chance',
      'Conversation may be faster by 60ms, but among 2 rows that can be chance',
    ]);
  });

  test('is silent about clear changes and about rows that could not be judged', () => {
    const rows = [
      { ...row('asr', -60, [-118, -2]), verdict: 'faster' as const },
      comparisonRow('llm', 1000, 500, 'too few'),
      row('speak', 60, [0, 118]),
    ];
    expect(possibleChange({ rows })).toEqual([]);
  });
});

describe('total-change and end-to-end-change', () => {
  test.each([
    ['faster', 'Total conversation time: 6000ms → 5000ms', ['End-to-end improvement: 16.7%']],
    ['no clear change', 'Total conversation time: 6000ms → 5000ms (no clear change)', []],
    ['too few', 'Total conversation time: 6000ms → 5000ms (too few to tell)', []],
  ] as const)('%s', (verdict, total, endToEnd) => {
    const rows = [comparisonRow('conversation', 6000, 5000, verdict)];
    expect(textsOf(totalChange({ rows }))).toEqual([total]);
    expect(textsOf(endToEndChange({ rows }))).toEqual(endToEnd);
  });

  test('slower', () => {
    const rows = [comparisonRow('conversation', 5000, 6000, 'slower')];
    expect(textsOf([...totalChange({ rows }), ...endToEndChange({ rows })])).toEqual([
      'Total conversation time: 5000ms → 6000ms',
      'End-to-end slowdown: 20.0%',
    ]);
  });

  test('nothing where a side is empty', () => {
    const rows: ComparisonRow[] = [
      { step: 'conversation', before: { count: 45, averageMs: 5000 }, after: { count: 0 }, verdict: 'too few' },
    ];
    expect([...totalChange({ rows }), ...endToEndChange({ rows })]).toEqual([]);
    expect([...totalChange({ rows: [] }), ...endToEndChange({ rows: [] })]).toEqual([]);
  });
});

test('more-errors appears from 5 points on, for steps and conversations', () => {
  const rows = [
    comparisonRow('asr', 1, 1, 'faster', [0, 4.99]),
    comparisonRow('llm', 1, 1, 'faster', [1, 6]),
    comparisonRow('speak', 1, 1, 'faster', [6, 1]),
    comparisonRow('conversation', 1, 1, 'faster', [2.5, 20]),
  ];
  expect(textsOf(moreErrors({ rows }))).toEqual([
    'LLM error rate rose from 1% to 6%',
    'Conversation error rate rose from 2.5% to 20%',
  ]);
  const empty: ComparisonRow = {
    step: 'llm',
    before: { count: 0 },
    after: { count: 9, errorRatePct: 50 },
    verdict: 'too few',
  };
  expect(moreErrors({ rows: [empty] })).toEqual([]);
});

describe('comparison-verdict', () => {
  const total = (verdict: ComparisonRow['verdict']): ComparisonRow =>
    comparisonRow('conversation', 6000, 5000, verdict);
  const verdictOn = (...rows: ComparisonRow[]): string[] => textsOf(comparisonVerdict({ rows }));

  test('success needs a step and the conversation to be clearly faster', () => {
    expect(verdictOn(comparisonRow('llm', 3000, 2000, 'faster'), total('faster'))).toEqual([
      'Success! Optimization validated with data',
    ]);
    expect(verdictOn(comparisonRow('llm', 3000, 2000, 'no clear change'), total('faster'))).toEqual([
      'Conversations got faster, though no single step clearly did',
    ]);
    expect(verdictOn(comparisonRow('llm', 3000, 2000, 'faster'), total('no clear change'))).toEqual([
      'No clear change of whole conversations: more of them may show one',
    ]);
  });

  test('is no success when more fails', () => {
    expect(verdictOn(comparisonRow('llm', 3000, 2000, 'faster', [0, 5]), total('faster'))).toEqual([
      'Faster, but more fails: no success yet',
    ]);
  });

  test.each<[ComparisonRow['verdict'], [number, number] | undefined, string, Severity]>([
    ['faster', [-300, -100], 'Success! Optimization validated with data', 'good'],
    ['faster', [-300, 100], 'Faster, but the mix changed: equal conversations show no clear change', 'warning'],
    ['faster', [100, 300], 'Faster only because the mix changed: equal conversations got slower', 'warning'],
    ['faster', undefined, 'Faster, but the mix changed, and no equal conversations show why', 'warning'],
    ['slower', [100, 300], 'Conversations got slower: the change did not help', 'problem'],
    ['slower', [-300, 100], 'Slower, but the mix changed: equal conversations show no clear change', 'warning'],
    ['slower', [-300, -100], 'Slower only because the mix changed: equal conversations got faster', 'warning'],
    [
      'no clear change',
      [-300, -100],
      'No clear change overall, but the mix changed: equal conversations got faster',
      'info',
    ],
    [
      'no clear change',
      [100, 300],
      'No clear change overall, but the mix changed: equal conversations got slower',
      'warning',
    ],
    ['no clear change', undefined, 'No clear change of whole conversations: more of them may show one', 'info'],
    [
      'too few',
      undefined,
      'Too few completed conversations to tell (45 before, 44 after, 10 needed on either side)',
      'info',
    ],
  ])('where the mix changed, %s has to hold among equal conversations: %j', (verdict, intervalMs, text, severity) => {
    const withinGroups = intervalMs && { deltaMs: 0, intervalMs, groups: 2, conversationsPct: 90 };
    const rows = [
      comparisonRow('llm', 3000, 2000, 'faster'),
      { ...total(verdict), ...(withinGroups && { withinGroups }) },
    ];
    const mixChanges = [{ factor: 'models' as const, distancePct: 20 }];
    expect(comparisonVerdict({ rows, mixChanges })).toMatchObject([{ text, severity }]);
    // The same numbers without a changed mix.
    expect(comparisonVerdict({ rows })[0]!.text).not.toMatch(/mix/);
  });

  test('slower, and too few', () => {
    expect(verdictOn(comparisonRow('llm', 2000, 3000, 'slower'), total('slower'))).toEqual([
      'Conversations got slower: the change did not help',
    ]);
    expect(verdictOn(total('too few'))).toEqual([
      'Too few completed conversations to tell (45 before, 44 after, 10 needed on either side)',
    ]);
    expect(verdictOn()).toEqual([]);
  });
});

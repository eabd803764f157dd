import { expect, test } from '@jest/globals';
import type { ComparisonReport, ComparisonRow, Finding } from '@convotel/query';
import { compareText } from '../../src/commands/compare.ts';
import { CONTEXT, report, finding, linesOf } from './reports-for-tests.ts';

const ROWS: ComparisonRow[] = [
  {
    step: 'llm',
    before: { count: 45, averageMs: 3421.8 },
    after: { count: 45, averageMs: 2834.5 },
    deltaMs: -587.3,
    deltaPct: -17.16,
    intervalMs: [-756.24, -427.3],
    verdict: 'faster',
  },
  {
    step: 'tts',
    before: { count: 45, averageMs: 1000 },
    after: { count: 45, averageMs: 999.97 },
    deltaMs: -0.03,
    deltaPct: 0,
    intervalMs: [-20, 20],
    verdict: 'no clear change',
  },
  { step: 'play', before: { count: 0 }, after: { count: 9, averageMs: 500 }, verdict: 'too few' },
  {
    step: 'conversation',
    before: { count: 45, averageMs: 6863.6 },
    after: { count: 45, averageMs: 6277.4 },
    deltaMs: -586.2,
    deltaPct: -8.54,
    intervalMs: [-755.1, -426.2],
    verdict: 'faster',
  },
];

const TABLE = [
  'Step         Before (ms)  After (ms)  Change    95% Interval  Verdict',
  '-'.repeat(80),
  'llm               3421.8      2834.5  -587.3  -756.2..-427.3  faster',
  'tts               1000.0      1000.0     0.0    -20.0..+20.0  no clear change',
  'play                   -       500.0       -               -  too few',
  'conversation      6863.6      6277.4  -586.2  -755.1..-426.2  faster',
  '='.repeat(80),
];

function comparison(rows: ComparisonRow[], findings: Finding[] = []): ComparisonReport {
  return {
    ...report('compare', rows, findings),
    windows: {
      before: { since: '2025-10-07T14:00:00.000000Z', until: '2025-10-08T14:00:00.000000Z' },
      after: { since: '2025-10-08T14:00:00.000000Z', until: '2025-10-09T14:00:00.000000Z' },
    },
  };
}

test('the table, then the step that changed most, then the results', () => {
  const change = finding('step-change', 'It got faster', { evidence: { step: 'llm' } });
  const answer = comparison(ROWS, [change, finding('x', 'Words')]);
  expect(linesOf(compareText(answer, CONTEXT))).toEqual([
    '='.repeat(80),
    'Before and After',
    '='.repeat(80),
    'Before: 2025-10-07T14:00:00 to 2025-10-08T14:00:00',
    'After:  2025-10-08T14:00:00 to 2025-10-09T14:00:00',
    '',
    ...TABLE,
    '',
    'BEFORE OPTIMIZATION:',
    '  llm: 3421.8ms average',
    '',
    'AFTER OPTIMIZATION:',
    '  llm: 2834.5ms average',
    '',
    'RESULTS:',
    '• It got faster',
    '• Words',
  ]);
  expect(linesOf(compareText(answer, { ...CONTEXT, showFindings: false })).slice(6)).toEqual(TABLE);
});

test('without a clear change there is no step to show', () => {
  const text = compareText(comparison(ROWS, [finding('total-change', 'Words')]), CONTEXT);
  expect(text).not.toContain('OPTIMIZATION');
  expect(text).toContain('RESULTS:\n• Words\n');
  expect(compareText(comparison([]), CONTEXT)).toContain('\nNo steps in either window\n');
});

import { describe, expect, test } from '@jest/globals';
import { averagesText } from '../../src/commands/averages.ts';
import { commonErrorsText } from '../../src/commands/common-errors.ts';
import { errorsText } from '../../src/commands/errors.ts';
import { percentilesText } from '../../src/commands/percentiles.ts';
import { successText } from '../../src/commands/success.ts';
import { ASKED, CONTEXT, report, finding, linesOf } from './reports-for-tests.ts';

describe('averages', () => {
  const rows = [
    {
      step: 'llm',
      count: 2,
      averageMs: 1.25,
      minMs: 0,
      maxMs: 2.5,
      leftOut: { tooLong: 1, notCompleted: 2 },
      timings: {},
    },
    { step: 'a_step_with_a_long_name', count: 0, leftOut: { tooLong: 0, notCompleted: 3 }, timings: {} },
  ];

  test('says what was left out, and that a step has no average', () => {
    expect(linesOf(averagesText(report('averages', rows), CONTEXT, ASKED)).slice(3)).toEqual([
      'Step                       Count   Avg (ms)   Min (ms)   Max (ms)',
      '-'.repeat(60),
      'llm                            2        1.3        0.0        2.5',
      'a_step_with_a_long_name        0          -          -          -',
      '='.repeat(60),
      'Left out: llm 2 not completed, 1 of 60s or more; a_step_with_a_long_name 3 not completed',
    ]);
  });

  test('shows findings only when asked for', () => {
    const answer = report('averages', rows, [finding('x', 'Words')]);
    expect(averagesText(answer, CONTEXT, ASKED)).toContain('\n\nINTERPRETATION:\n• Words\n');
    expect(averagesText(answer, { ...CONTEXT, showFindings: false }, ASKED)).not.toContain('INTERPRETATION');
  });

  test('says when there is nothing', () => {
    expect(averagesText(report('averages', []), CONTEXT, ASKED)).toContain('\nNo steps in this window\n');
  });
});

describe('errors', () => {
  const rows = [
    { step: 'llm', total: 4, failures: 1, errorRatePct: 25, retried: 0, finalFailures: 1, finalErrorRatePct: 25 },
  ];
  const findings = [
    finding('high-error-rate', 'High', { evidence: { step: 'llm' } }),
    finding('retry-failures', 'Retry', { severity: 'advice' }),
    finding('fall-back', 'Fall back', { severity: 'advice' }),
  ];

  test('parts findings from numbered advice', () => {
    expect(linesOf(errorsText(report('errors', rows, findings), CONTEXT, ASKED)).slice(5)).toEqual([
      'llm                    4          1       25.00%  ← PROBLEM!',
      '='.repeat(60),
      '',
      'FINDINGS:',
      '• High',
      '',
      'RECOMMENDATIONS:',
      '1. Retry',
      '2. Fall back',
    ]);
  });

  test('has a column for what retries left, where something was retried', () => {
    const retried = { ...rows[0]!, total: 5, retried: 1, finalFailures: 0, finalErrorRatePct: 0 };
    const others = { step: 'tts', total: 1, failures: 1, errorRatePct: 100, retried: 1, finalFailures: 0 };
    expect(linesOf(errorsText(report('errors', [retried, others]), CONTEXT, ASKED)).slice(3, 7)).toEqual([
      'Step               Total   Failures   Error Rate   After Retries',
      '-'.repeat(60),
      'llm                    5          1       25.00%           0.00%',
      'tts                    1          1      100.00%               -',
    ]);
  });

  test('has an interval with --wide', () => {
    const sure = rows.map((row) => ({ ...row, interval: [4.56, 69.94] as [number, number] }));
    const wide = linesOf(errorsText(report('errors', sure), CONTEXT, { ...ASKED, wide: true }));
    expect(wide.slice(3, 6)).toEqual([
      'Step               Total   Failures   Error Rate     95% Interval',
      '-'.repeat(60),
      'llm                    4          1       25.00%     4.56..69.94%',
    ]);
    expect(linesOf(errorsText(report('errors', sure), { ...CONTEXT, columns: 100 }, ASKED))).toEqual(wide);
  });

  test('has neither words nor arrows without findings', () => {
    const text = errorsText(report('errors', rows, findings), { ...CONTEXT, showFindings: false }, ASKED);
    expect(linesOf(text).slice(5)).toEqual(['llm                    4          1       25.00%', '='.repeat(60)]);
  });

  test('colours the arrow as an addition', () => {
    const text = errorsText(report('errors', rows, findings), { ...CONTEXT, color: true }, ASKED);
    expect(linesOf(text)[5]).toBe('llm                    4          1       25.00%  \u001b[33m← PROBLEM!\u001b[39m');
  });
});

test('success shows completed calls and their share', () => {
  const rows = [{ step: 'llm', total: 3, completed: 2, successRatePct: 66.67, retried: 0 }];
  expect(linesOf(successText(report('success', rows, [finding('x', 'Words')]), CONTEXT, ASKED))).toEqual([
    '='.repeat(60),
    'Success Rates by Step (last 24 hours)',
    '='.repeat(60),
    'Step               Total   Completed   Success Rate',
    '-'.repeat(60),
    'llm                    3           2         66.67%',
    '='.repeat(60),
    '',
    'FINDINGS:',
    '• Words',
  ]);
});

test('common-errors shows what an error says below its numbers', () => {
  const row = { step: 'llm', count: 7, lastSeen: '2025-10-08T14:30:22.123456Z', conversationId: 'c1' };
  const rows = [
    { ...row, errorType: 'RateLimitError', message: 'API rate limit exceeded' },
    { ...row, errorType: '_OTHER' },
    { ...row, message: '' },
  ];
  const findings = [finding('common-cause', 'Cause'), finding('common-cause', 'Do it', { severity: 'advice' })];
  expect(linesOf(commonErrorsText(report('common-errors', rows, findings), CONTEXT, ASKED))).toEqual([
    '='.repeat(80),
    'Most Common Errors (last 24 hours)',
    '='.repeat(80),
    'Step               Count   Last Seen            Conversation ID',
    '-'.repeat(80),
    'llm                    7   2025-10-08T14:30:22  c1',
    '  RateLimitError: API rate limit exceeded',
    'llm                    7   2025-10-08T14:30:22  c1',
    '  _OTHER',
    'llm                    7   2025-10-08T14:30:22  c1',
    '  no message',
    '='.repeat(80),
    '',
    'FINDINGS:',
    '• Cause',
    '',
    'RECOMMENDATIONS:',
    '1. Do it',
  ]);
});

describe('percentiles', () => {
  const leftOut = { tooLong: 2, notCompleted: 0 };

  test('marks the median and the 99th percentile, and says what was left out', () => {
    const data = { step: 'llm', count: 3, leftOut, percentiles: { p10: 1, p50: 2, p99: 123_456.78 } };
    expect(linesOf(percentilesText(report('percentiles', data, [finding('x', 'Words')]), CONTEXT))).toEqual([
      "Duration Percentiles for 'llm' Step",
      '='.repeat(60),
      'Percentile        Duration (ms)',
      '-'.repeat(60),
      'P10                        1.0',
      'P50                        2.0  ← Median',
      'P99                   123456.8  ← 99th percentile',
      '',
      'Samples                      3',
      'Left out: llm 2 of 60s or more',
      '',
      'INSIGHTS:',
      '• Words',
    ]);
  });

  test('has intervals with --wide, and says which have an end missing', () => {
    const percentiles = { p10: 1, p50: 2, p95: 3, p99: 4 };
    const intervals = { p10: [null, 1.5], p50: [1, 2.5], p95: [2, null], p99: [null, null] } satisfies Record<
      string,
      [number | null, number | null]
    >;
    const data = { step: 'llm', count: 3, leftOut, percentiles, intervals };
    const wide = linesOf(percentilesText(report('percentiles', data), CONTEXT, { wide: true }));
    expect(wide.slice(2)).toEqual([
      'Percentile        Duration (ms)         95% Interval',
      '-'.repeat(60),
      'P10                        1.0             up to 1.5',
      'P50                        2.0              1.0..2.5  ← Median',
      'P95                        3.0              from 2.0',
      'P99                        4.0                     -  ← 99th percentile',
      '',
      'Samples                      3',
      'Too few samples for both ends of an interval: P10, P95, P99',
      'Left out: llm 2 of 60s or more',
    ]);
    expect(linesOf(percentilesText(report('percentiles', data), { ...CONTEXT, columns: 100 }))).toEqual(wide);
    expect(percentilesText(report('percentiles', data), { ...CONTEXT, columns: 99 })).not.toContain('Interval');
  });

  test.each([
    ['first-output', 0, [], "No completed 'llm' step with a first output in this window"],
    [undefined, 3, [], "No completed 'llm' step in this window"],
    [undefined, 0, ['step-never-seen'], "No completed 'llm' step in this window"],
    [undefined, 0, [], 'No conversation with a response latency in this window'],
  ] as const)('says what there is none of: %s', (of, notCompleted, codes, text) => {
    const data = {
      step: 'llm',
      ...(of && { of }),
      count: 0,
      leftOut: { tooLong: 0, notCompleted },
      percentiles: {},
    };
    const empty = report('percentiles', data);
    empty.coverage.warnings.push(...codes.map((code) => ({ code, text: '' })));
    expect(linesOf(percentilesText(empty, CONTEXT))).toContain(text);
  });

  test('of a step without calls', () => {
    const data = { step: 'llm', count: 0, leftOut: { tooLong: 0, notCompleted: 1 }, percentiles: {} };
    expect(linesOf(percentilesText(report('percentiles', data), CONTEXT)).slice(4)).toEqual([
      "No completed 'llm' step in this window",
      '',
      'Samples                      0',
      'Left out: llm 1 not completed',
    ]);
  });

  test('has no arrows without findings', () => {
    const data = { step: 'llm', count: 3, leftOut, percentiles: { p50: 2 } };
    expect(percentilesText(report('percentiles', data), { ...CONTEXT, showFindings: false })).not.toContain('←');
  });
});

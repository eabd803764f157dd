import { OUTCOMES } from '@convotel/conventions';
import { describe, expect, test } from '@jest/globals';
import { averagesRules } from '../../src/answers/averages.ts';
import { commonErrorsRules } from '../../src/answers/common-errors.ts';
import { compareRules } from '../../src/answers/compare/compare-findings.ts';
import type { ComparisonRow } from '../../src/answers/compare/compare-windows.ts';
import { summaryRules } from '../../src/answers/conversation/summary.ts';
import { timelineRules } from '../../src/answers/conversation/timeline.ts';
import { traceRules } from '../../src/answers/conversation/trace.ts';
import { errorsRules } from '../../src/answers/errors.ts';
import { successRules } from '../../src/answers/success.ts';
import { percentilesRules } from '../../src/answers/percentiles.ts';
import type { PercentileName } from '../../src/answers/percentiles.ts';
import { slowRules } from '../../src/answers/slow.ts';
import { findAll } from '../../src/findings/finding.ts';
import type { Finding } from '../../src/findings/finding.ts';
import { averageRow, errorRow, slowRow, summaryFacts } from '../answers/facts-for-tests.ts';

describe('whatever the facts are, the findings are sentences with numbers behind them', () => {
  const numbers = [0, 0.04, 1, 999.99, 7000, 123_456.789];
  const names = ['llm', 'response', 'a b', ''];

  test('summary, timeline and trace', () => {
    for (const outcome of [...OUTCOMES, 'open'] as const) {
      for (const stepOutcome of OUTCOMES) {
        for (const durationMs of numbers) {
          const facts = {
            ...summaryFacts(
              names.map((step, index) => ({ step, durationMs, outcome: stepOutcome, depth: index % 2 })),
              { outcome, durationMs: durationMs, unattributedMs: durationMs / 2 },
            ),
            missingSteps: names,
          };
          expectSentences(findAll(summaryRules, facts));
          expectSentences(findAll(timelineRules, facts));
          expectSentences(findAll(traceRules, facts));
        }
      }
    }
  });

  test('averages, percentiles and slow', () => {
    for (const least of numbers) {
      for (const most of numbers.filter((value) => value >= least)) {
        for (const count of [1, 5, 45]) {
          const rows = names.map((step) => averageRow(step, (least + most) / 2, least, most, { count }));
          expectSentences(findAll(averagesRules, { rows, meanTotalMs: most }));
          const percentiles = { p50: least, p90: most, p99: most } as Record<PercentileName, number>;
          const data = { step: '', count, leftOut: { tooLong: 0, notCompleted: 0 }, percentiles };
          expectSentences(findAll(percentilesRules, { data }));
        }
        expectSentences(
          findAll(slowRules, {
            rows: [slowRow(least), slowRow(most)],
            by: 'duration',
            thresholdMs: least,
            targetMs: most,
            completedMsByStep: Object.fromEntries(names.map((step) => [step, least])),
          }),
        );
      }
    }
  });

  test('errors, success, common-errors and compare', () => {
    for (const failures of [0, 1, 10]) {
      const rows = names.map((step) => errorRow(step, failures, 10));
      const commonErrors = names.map((step) => ({
        step,
        count: 1,
        lastSeen: '2025-10-08T12:30:22.123456Z',
        conversationId: 'c',
      }));
      expectSentences(findAll(errorsRules, { rows, commonErrors }));
      expectSentences(findAll(commonErrorsRules, { rows: commonErrors }));
      const successRows = rows.map(({ step, total }) => ({
        step,
        total,
        completed: 10 - failures,
        successRatePct: 1,
        retried: 0,
      }));
      expectSentences(findAll(successRules, { rows: successRows }));
    }
    const verdicts = ['faster', 'slower', 'no clear change', 'too few'] as const;
    for (const verdict of verdicts) {
      const full: ComparisonRow = {
        step: 'conversation',
        before: { count: 10, averageMs: 0, errorRatePct: 0 },
        after: { count: 10, averageMs: 5, errorRatePct: 100 },
        deltaMs: 5,
        verdict,
      };
      const empty: ComparisonRow = { step: '', before: { count: 0 }, after: { count: 0 }, verdict };
      for (const row of [full, empty]) expectSentences(findAll(compareRules, { rows: [full, empty, row] }));
    }
  });
});

function expectSentences(findings: Finding[]): void {
  for (const { text, evidence } of findings) {
    expect(text).not.toMatch(/NaN|Infinity|undefined|null|\[object|-0\b/);
    expect(text.trim()).not.toBe('');
    for (const value of Object.values(evidence)) {
      expect(value).toBeDefined();
      expect(value).not.toBeNaN();
    }
  }
}

import { expect, test } from '@jest/globals';
import type { Finding, Severity } from '../../src/findings/finding.ts';
import { stepSpread } from '../../src/answers/averages.ts';
import { comparisonVerdict, endToEndChange, stepChange } from '../../src/answers/compare/compare-findings.ts';
import { allStepsCompleted, unsuccessfulStep } from '../../src/answers/conversation/step-findings.ts';
import { conversationEnding } from '../../src/answers/conversation/trace.ts';
import { slowTail } from '../../src/answers/percentiles.ts';
import { investigateSlow } from '../../src/answers/slow.ts';
import { lowestSuccess } from '../../src/answers/success.ts';
import { averageRow, comparisonRow, percentilesFacts, slowRow, summaryFacts } from './facts-for-tests.ts';

const STEP = { step: 'llm', durationMs: 1 };
const successRow = (completed: number) => ({
  step: 'llm',
  total: 4,
  completed,
  successRatePct: completed * 25,
  retried: 0,
});
const slowFacts = (durationMs: number) => ({
  rows: [slowRow(durationMs)],
  by: 'duration' as const,
  thresholdMs: 5000,
  targetMs: 7000,
  completedMsByStep: {},
});
const compared = (verdict: 'faster' | 'slower') => ({
  rows: [comparisonRow('llm', 2000, 1000, verdict), comparisonRow('conversation', 2000, 1000, verdict)],
});

test.each<[what: string, findings: Finding[], severity: Severity]>([
  ['all steps of a completed conversation', allStepsCompleted(summaryFacts([STEP])), 'good'],
  ['all steps of a failed one', allStepsCompleted(summaryFacts([STEP], { outcome: 'failed' })), 'info'],
  ['a failed step', unsuccessfulStep(summaryFacts([{ ...STEP, outcome: 'failed' }])), 'problem'],
  ['an interrupted step', unsuccessfulStep(summaryFacts([{ ...STEP, outcome: 'interrupted' }])), 'info'],
  ['a failed conversation', conversationEnding(summaryFacts([STEP], { outcome: 'failed' })), 'problem'],
  ['an abandoned conversation', conversationEnding(summaryFacts([STEP], { outcome: 'abandoned' })), 'problem'],
  ['an open conversation', conversationEnding(summaryFacts([STEP], { outcome: 'open' })), 'info'],
  ['an interrupted conversation', conversationEnding(summaryFacts([STEP], { outcome: 'interrupted' })), 'info'],
  ['a step that is slow on average', stepSpread({ rows: [averageRow('play', 1001, 1, 2)], meanTotalMs: 9 }), 'warning'],
  ['a step that is not', stepSpread({ rows: [averageRow('play', 1000, 1, 2)], meanTotalMs: 9 }), 'info'],
  ['a slow tail', slowTail(percentilesFacts(10, { p50: 1, p90: 9 })), 'warning'],
  ['no slow tail', slowTail(percentilesFacts(10, { p50: 8, p90: 9 })), 'info'],
  ['slow and over the target', investigateSlow(slowFacts(7000)), 'warning'],
  ['slow but under the target', investigateSlow(slowFacts(6999)), 'info'],
  ['always successful', lowestSuccess({ rows: [successRow(4)] }), 'good'],
  ['not always successful', lowestSuccess({ rows: [successRow(3)] }), 'warning'],
  ['a faster step', stepChange(compared('faster')), 'good'],
  ['a slower step', stepChange(compared('slower')), 'warning'],
  ['faster conversations', endToEndChange(compared('faster')), 'good'],
  ['slower conversations', endToEndChange(compared('slower')), 'problem'],
  ['a success', comparisonVerdict(compared('faster')), 'good'],
  ['a failure', comparisonVerdict(compared('slower')), 'problem'],
])('%s', (_, findings, severity) => {
  expect(findings.map((finding) => finding.severity)).toEqual([severity]);
});

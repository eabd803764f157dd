import { expect, test } from '@jest/globals';
import {
  considerTimeout,
  dominatingStep,
  investigateSlow,
  slowResponses,
  slowRules,
  speedUpStep,
} from '../../src/answers/slow.ts';
import type { SlowFacts } from '../../src/answers/slow.ts';
import { findAll } from '../../src/findings/finding.ts';
import { slowRow, textsOf } from './facts-for-tests.ts';

function facts(durationsMs: number[], completedMsByStep: Record<string, number> = {}, thresholdMs = 8000): SlowFacts {
  return { rows: durationsMs.map(slowRow), by: 'duration', thresholdMs, targetMs: 7000, completedMsByStep };
}

test('investigate-slow compares threshold and target with what was found', () => {
  expect(textsOf(investigateSlow(facts([9000, 8001])))).toEqual([
    'Investigate why these took >8 seconds (target is <7s)',
  ]);
  expect(textsOf(investigateSlow(facts([9000])))).toEqual(['Investigate why this one took >8 seconds (target is <7s)']);
  expect(textsOf(investigateSlow(facts([7000, 6999], {}, 2500)))).toEqual([
    'Investigate why these took >2.5 seconds (1 of 2 missed the target of <7s)',
  ]);
  expect(investigateSlow(facts([6999, 5001], {}, 5000))).toMatchObject([
    { severity: 'info', text: 'Investigate why these took >5 seconds (though under the target of 7s)' },
  ]);
  expect(investigateSlow(facts([]))).toEqual([]);
});

test('dominating-step names the step from 40 % of the time by the clock on', () => {
  expect(textsOf(dominatingStep(facts([9000, 9000], { ponder: 7200, b: 3000, c: 3000 })))).toEqual([
    'Check ponder step duration for these conversations',
  ]);
  expect(textsOf(dominatingStep(facts([10_000], { llm: 4000, b: 3000, c: 3000 })))).toEqual([
    'Check LLM step duration for this conversation',
  ]);
  expect(dominatingStep(facts([10_000], { a: 3999, b: 3001, c: 3000 }))).toEqual([
    {
      rule: 'dominating-step',
      severity: 'info',
      text: 'No single step takes 40% of the time: check where each conversation waits',
      evidence: { a: 3999, b: 3001, c: 3000 },
    },
  ]);
  expect(textsOf(dominatingStep(facts([9000], { a: 0, b: 0 })))).toHaveLength(1);
  expect(textsOf(dominatingStep(facts([9000], { a: 0, b: 0 })))[0]).toMatch(/^No single step/);
  expect(dominatingStep(facts([]))).toEqual([]);
});

test('consider-timeout appears from 1.5 targets on', () => {
  expect(considerTimeout(facts([10_499.9, 8000]))).toEqual([]);
  expect(textsOf(considerTimeout(facts([8100, 10_500])))).toEqual(['Consider adding timeout limits']);
  expect(considerTimeout(facts([]))).toEqual([]);
});

test('speed-up-step speaks by the kind of the step that dominates', () => {
  expect(textsOf(speedUpStep(facts([9000], { llm: 9000 })))).toEqual([
    'May need to optimize prompts or use faster model',
  ]);
  expect(textsOf(speedUpStep(facts([9000], { speak: 9000 })))).toEqual([
    'May need to shorten answers or stream the speech',
  ]);
  expect(speedUpStep(facts([9000], { ponder: 9000 }))).toEqual([]);
  expect(speedUpStep(facts([100], { llm: 39, b: 31, c: 30 }))).toEqual([]);
  expect(speedUpStep(facts([], {}))).toEqual([]);
});

test('of slow responses only how long users waited is said', () => {
  const waited = (rows: number[]): SlowFacts => ({ ...facts(rows, { llm: 90_000 }, 2000), by: 'response' });
  const found = findAll(slowRules, waited([30_000, 20_000]));
  expect(textsOf(found)).toEqual(['Investigate why these users waited >2 seconds for an answer']);
  expect(textsOf(slowResponses(waited([9000])))).toEqual(['Investigate why this user waited >2 seconds for an answer']);
  expect(findAll(slowRules, waited([]))).toEqual([]);
  expect(slowResponses(facts([9000]))).toEqual([]);
});

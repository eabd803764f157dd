import { expect, test } from '@jest/globals';
import type { Usage } from '@convotel/query';
import { usageText } from '../../src/commands/usage.ts';
import { ASKED, CONTEXT, linesOf, report } from './reports-for-tests.ts';

const DATA: Usage = {
  by: 'model',
  rows: [
    { group: 'large', calls: 4, inputTokens: 4000, outputTokens: 400, cost: 0.012, unpricedCalls: 0 },
    { calls: 2, spokenChars: 240, unpricedCalls: 2 },
  ],
  total: { calls: 6, inputTokens: 4000, outputTokens: 400, spokenChars: 240, cost: 0.012, unpricedCalls: 2 },
  unpricedModels: ['small'],
  unmeasuredModels: [],
};

test('usage has a row a group, the total below them, and names models without a price', () => {
  const text = usageText(report('usage', DATA), CONTEXT, { ...ASKED, currency: 'EUR' });
  expect(linesOf(text).slice(1)).toEqual([
    'Usage by Model (last 24 hours)',
    '='.repeat(80),
    'Model                  Calls Input Tokens Output Tokens Spoken Chars Cost (EUR)',
    '-'.repeat(80),
    'large                      4         4000           400            -     0.0120',
    '(not said)                 2            -             -          240          -',
    '-'.repeat(80),
    'Total                      6         4000           400          240     0.0120',
    '='.repeat(80),
    'No price for small: add one under "prices" in convotel.json',
  ]);
});

test('a model that has some of the prices that it needs is told from one that has none', () => {
  const prices = { small: { inputPerMillionTokens: 1 } };
  expect(linesOf(usageText(report('usage', DATA), CONTEXT, { ...ASKED, prices })).at(-1)).toBe(
    'Not every price for small: under "prices" in convotel.json, one of what it used is missing',
  );
});

test('usage has no cost without prices, and says when nothing was used', () => {
  const empty: Usage = {
    by: 'day',
    rows: [],
    total: { calls: 0, unpricedCalls: 0 },
    unpricedModels: [],
    unmeasuredModels: [],
  };
  expect(linesOf(usageText(report('usage', empty), CONTEXT, ASKED)).slice(1)).toEqual([
    'Usage by Day (last 24 hours)',
    '='.repeat(80),
    'Day                    Calls Input Tokens Output Tokens Spoken Chars',
    '-'.repeat(80),
    'No use of models in this window',
    '='.repeat(80),
  ]);
});

test('usage shows seconds of audio where any are said, and names models whose audio nobody measured', () => {
  const listened = { group: 'listener', calls: 2, audioSeconds: 90.25, cost: 0.9, unpricedCalls: 0 };
  const data: Usage = { ...DATA, rows: [listened, ...DATA.rows], unpricedModels: [], unmeasuredModels: ['voice'] };
  const lines = linesOf(usageText(report('usage', data), { ...CONTEXT, columns: 100 }, ASKED));
  expect(lines[3]).toMatch(/Spoken Chars Audio \(s\) +Cost$/);
  expect(lines[5]).toMatch(/^listener +2 +- +- +- +90\.3 +0\.9000$/);
  expect(lines.at(-1)).toBe('No seconds of audio for voice: say them with step.usage({ audioSeconds })');
});

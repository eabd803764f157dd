import { expect, test } from '@jest/globals';
import { percentOf, percentOfNano } from '../../src/answers/intervals.ts';

test.each([
  [1, 4, 25],
  [1, 3, 33.33],
  [2, 3, 66.67],
  // 3.625 % lies on a half, which 29 / 800 * 100 in floating point falls short of or not by chance.
  [29, 800, 3.63],
  [1, 800, 0.13],
  [3, 800, 0.38],
  [-29, 800, -3.63],
  [0, 7, 0],
  [5, 0, 0],
])('%d of %d is %d %%', (part, whole, percentage) => {
  expect(percentOf(part, whole)).toBe(percentage);
});

test('a share that rounds to nothing is 0, never −0', () => {
  expect(Object.is(percentOf(-0.001, 1000), 0)).toBe(true);
});

test('nanoseconds keep their halves at any length', () => {
  expect(percentOfNano(29n * 10n ** 18n, 800n * 10n ** 18n)).toBe(3.63);
  expect(percentOfNano(29n * 10n ** 18n - 1n, 800n * 10n ** 18n)).toBe(3.62);
});

test('there is no share of a whole without length', () => {
  expect(percentOfNano(0n, 0n)).toBeUndefined();
  expect(percentOfNano(0n, 1n)).toBe(0);
});

import { expect, test } from '@jest/globals';
import { quantileOfSorted } from '../../src/model/numbers.ts';

test('interpolates at index (n−1)·rank', () => {
  expect(quantileOfSorted([], 0.5)).toBeUndefined();
  expect(quantileOfSorted([7], 0.99)).toBe(7);
  expect(quantileOfSorted([1, 2, 10], 0)).toBe(1);
  expect(quantileOfSorted([1, 2, 10], 0.25)).toBe(1.5);
  expect(quantileOfSorted([1, 2, 10], 0.75)).toBe(6);
  expect(quantileOfSorted([1, 2, 10], 1)).toBe(10);
});

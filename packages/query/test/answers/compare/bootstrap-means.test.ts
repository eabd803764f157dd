import { expect, test } from '@jest/globals';
import { sparseColumn, weightedSum } from '../../../src/answers/compare/bootstrap-means.ts';

test('keeps the most common value aside, and the rows that differ from it', () => {
  const column = sparseColumn(Uint32Array.of(0, 1, 3, 4, 5), Uint32Array.of(1, 1, 1, 3, 1), 6);
  expect(column).toEqual({ base: 1, rows: Uint32Array.of(2, 4), deviations: Float64Array.of(-1, 2) });
});

test('keeps 0 aside where most rows say nothing', () => {
  const column = sparseColumn(Uint32Array.of(2, 4), Float64Array.of(5, 5), 6);
  expect(column).toEqual({ base: 0, rows: Uint32Array.of(2, 4), deviations: Float64Array.of(5, 5) });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('adds %d rows up under their weights', (rowCount) => {
  const values = Float64Array.of(2, 3, 5, 7, 11, 13, 17, 19, 23).slice(0, rowCount);
  // Row 0 takes the place of the last one.
  const weights = new Uint16Array(rowCount).fill(1);
  weights[rowCount - 1] = 0;
  weights[0]! += 1;
  const expected = values.reduce((sum, value) => sum + value, 0) + 2 - values[rowCount - 1]!;
  expect(weightedSum(sparseColumn(Uint32Array.from(values.keys()), values, rowCount), weights)).toBe(expected);
});

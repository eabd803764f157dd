import { expect, test } from '@jest/globals';
import { randomFrom } from '../../src/answers/compare/bootstrap-means.ts';
import { averageRanks, ordered, RankCorrelations } from '../../src/answers/rank-correlation.ts';

test('each pair of many variables is correlated over the observations that have both', () => {
  const random = randomFrom(17);
  const count = 3_000;
  const shared = Float64Array.from({ length: count }, () => random() % 100);
  // All, a few missing, the same ones missing, most missing, all missing.
  const variables = [0, 10, 10, 95, 100].map((missingPct, index) =>
    Float64Array.from(shared, (value, place) =>
      (place * 37) % 100 < missingPct ? Number.NaN : value + (random() % (50 * (index + 1))),
    ),
  );
  const correlations = new RankCorrelations(variables.map(ordered));
  for (const [left, x] of variables.entries()) {
    for (const [right, y] of variables.entries()) {
      const both = [...shared.keys()].filter((place) => !Number.isNaN(x[place]!) && !Number.isNaN(y[place]!));
      const found = correlations.between(left, right);
      expect(found.n).toBe(both.length);
      if (both.length === 0) expect(found.rho).toBeNull();
      else expect(found.rho).toBeCloseTo(pearson(ranksAt(x, both), ranksAt(y, both)), 12);
    }
  }
});

/** The ranks of the values at `places` alone. */
function ranksAt(values: Float64Array, places: readonly number[]): number[] {
  const some = Float64Array.from(places, (place) => values[place]!);
  return [...averageRanks(ordered(some), some)];
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const products = (a: readonly number[], meanA: number, b: readonly number[], meanB: number): number =>
    a.reduce((sum, value, place) => sum + (value - meanA) * (b[place]! - meanB), 0);
  return products(x, meanX, y, meanY) / Math.sqrt(products(x, meanX, x, meanX) * products(y, meanY, y, meanY));
}

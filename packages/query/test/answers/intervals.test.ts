import { describe, expect, test } from '@jest/globals';
import {
  medianStandardError,
  spearmanInterval,
  spearmanProbability,
  studentQuantile,
  wilsonInterval,
} from '../../src/answers/intervals.ts';
import { quantileOfSorted } from '../../src/model/numbers.ts';
import { randomFrom } from '../../src/answers/compare/bootstrap-means.ts';
import { averageRanks, ordered } from '../../src/answers/rank-correlation.ts';

describe('Wilson’s interval of a share', () => {
  test.each([
    // Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3.
    [81, 263, [25.53, 36.62]],
    [15, 148, [6.24, 16.05]],
    [0, 20, [0, 16.11]],
    [1, 29, [0.61, 17.18]],
    [20, 20, [83.89, 100]],
  ])('%d of %d', (part, whole, interval) => {
    expect(wilsonInterval(part, whole)).toEqual(interval);
  });

  test('there is none of nothing', () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
  });
});

describe('how sure a rank correlation is', () => {
  test('its interval is about symmetric around 0, and narrows', () => {
    const [low, high] = spearmanInterval(0, 45)!;
    expect(high).toBeCloseTo(Math.tanh(1.959964 / Math.sqrt(42)), 5);
    expect(low).toBeCloseTo(-high, 12);
    expect(spearmanInterval(0.5, 1000)![0]).toBeGreaterThan(0.43);
    expect(spearmanInterval(1, 45)).toEqual([1, 1]);
    expect(spearmanInterval(0.9, 3)).toBeUndefined();
  });

  test('its interval holds the true one in about 95 % of samples', () => {
    const random = randomFrom(8);
    const uniform = (): number => (random() + 1) / 0x1_0000_0001;
    const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const pearson = 0.7;
    // Of two normal variables (Kruskal, 1958).
    const truth = (6 / Math.PI) * Math.asin(pearson / 2);
    let held = 0;
    const samples = 1500;
    for (let sample = 0; sample < samples; sample++) {
      const x = Float64Array.from({ length: 60 }, normal);
      const y = x.map((value) => pearson * value + Math.sqrt(1 - pearson ** 2) * normal());
      const [low, high] = spearmanInterval(rhoOf(x, y), 60)!;
      if (low <= truth && truth <= high) held += 1;
    }
    expect(held / samples).toBeGreaterThan(0.93);
    expect(held / samples).toBeLessThan(0.975);
  });

  test.each([
    // Table of critical values (Zar, Biostatistical Analysis, table B.20), two-sided 5 %.
    [0.648, 10],
    [0.377, 28],
    [0.279, 50],
    [0.197, 100],
  ])('%d over %d pairs happens by chance in about 5 %% of samples', (rho, count) => {
    expect(spearmanProbability(rho, count)).toBeGreaterThan(0.035);
    expect(spearmanProbability(rho, count)).toBeLessThan(0.06);
  });
});

test.each([
  // Tables of Student's t.
  [0.025, 9, 2.262],
  [0.025, 30, 2.042],
  [0.025, 1e9, 1.96],
  [0.005, 9, 3.25],
  [0.0005, 20, 3.85],
])('Student’s t exceeds with probability %d and %d degrees of freedom %d', (probability, degrees, value) => {
  expect(Math.abs(studentQuantile(probability, degrees) / value - 1)).toBeLessThan(0.01);
});

test.each([
  [12, 12],
  [45, 60],
  [200, 200],
])('two medians of %d and %d values differ by 1.96 standard errors in about 5 %% of samples', (few, many) => {
  const random = randomFrom(4);
  const exponential = (): number => -Math.log((random() + 1) / 0x1_0000_0001);
  const sampleOf = (count: number): Float64Array => Float64Array.from({ length: count }, exponential).sort();
  const samples = 4000;
  let held = 0;
  for (let sample = 0; sample < samples; sample++) {
    const [one, other] = [sampleOf(few), sampleOf(many)];
    const margin = 1.96 * Math.hypot(medianStandardError(one), medianStandardError(other));
    if (Math.abs(quantileOfSorted(one, 0.5)! - quantileOfSorted(other, 0.5)!) <= margin) held += 1;
  }
  expect(held / samples).toBeGreaterThan(0.935);
  expect(held / samples).toBeLessThan(0.975);
});

test('equal values share the mean of their ranks', () => {
  expect(ranksOf(Float64Array.of(3, 1, 3, 0, 3))).toEqual([3, 1, 3, 0, 3]);
  expect(ranksOf(Float64Array.of(5, 5))).toEqual([0.5, 0.5]);
  expect(ranksOf(new Float64Array())).toEqual([]);
});

test('a rank counts only where the other variable has a value too', () => {
  const ranks = averageRanks(ordered(Float64Array.of(5, 1, 5, Number.NaN, 3)), Float64Array.of(0, Number.NaN, 0, 0, 0));
  expect([...ranks]).toEqual([1.5, Number.NaN, 1.5, Number.NaN, 0]);
});

function ranksOf(values: Float64Array): number[] {
  return [...averageRanks(ordered(values), values)];
}

function rhoOf(x: Float64Array, y: Float64Array): number {
  const [a, b] = [ranksOf(x), ranksOf(y)];
  const differences = a.reduce((sum, rank, row) => sum + (rank - b[row]!) ** 2, 0);
  return 1 - (6 * differences) / (x.length * (x.length ** 2 - 1));
}

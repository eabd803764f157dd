import { describe, expect, test } from '@jest/globals';
import { orderStatisticInterval } from '../../src/model/order-statistics.ts';

describe('the interval of a quantile by order statistics', () => {
  /** How likely `successes` of `count` are, by a recurrence that shares nothing with the code tested. */
  function binomial(count: number, probability: number): number[] {
    let row = [1];
    for (let trial = 0; trial < count; trial++) {
      row = Array.from(
        { length: row.length + 1 },
        (_none, successes) => (row[successes] ?? 0) * (1 - probability) + (row[successes - 1] ?? 0) * probability,
      );
    }
    return row;
  }

  function coverageOf(count: number, probability: number, low: number | undefined, high: number | undefined): number {
    // The quantile lies at or above the value at place `low` where more than `low` values lie below it.
    return binomial(count, probability)
      .slice(low === undefined ? 0 : low + 1, high === undefined ? count + 1 : high + 1)
      .reduce((sum, likelihood) => sum + likelihood, 0);
  }

  test.each([1, 2, 5, 9, 10, 45, 100, 200, 350])(
    'holds in at least 95 %% of samples, and no shorter one would: n = %d',
    (count) => {
      for (const probability of [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) {
        const [low, high] = orderStatisticInterval(count, probability);
        const coverage = coverageOf(count, probability, low, high);
        expect(coverage).toBeGreaterThanOrEqual(0.95 - 1e-9);
        if (low !== undefined && high !== undefined) {
          expect(coverageOf(count, probability, low + 1, high)).toBeLessThan(0.95);
          expect(coverageOf(count, probability, low, high - 1)).toBeLessThan(0.95);
          expect([low >= 0, high < count]).toEqual([true, true]);
        }
      }
    },
  );

  test('has no upper end where too few values could lie above the quantile', () => {
    expect(orderStatisticInterval(45, 0.99)[1]).toBeUndefined();
    expect(orderStatisticInterval(45, 0.1)[0]).toBe(0);
    expect(orderStatisticInterval(45, 0)).toEqual([undefined, 0]);
    expect(orderStatisticInterval(45, 1)).toEqual([44, undefined]);
    expect(orderStatisticInterval(0, 0.5)).toEqual([undefined, undefined]);
    expect(orderStatisticInterval(1, 0.5)).toEqual([undefined, undefined]);
  });

  test('takes no longer for millions of values, and is what the normal distribution says', () => {
    const [low, high] = orderStatisticInterval(10_000_000, 0.5);
    // 1.96 standard deviations of 1,581.
    expect(Math.abs(low! - (5_000_000 - 3099))).toBeLessThan(5);
    expect(Math.abs(high! - (5_000_000 + 3099))).toBeLessThan(5);
  });
});

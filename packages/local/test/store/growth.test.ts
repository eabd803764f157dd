import { expect, test } from '@jest/globals';
import { Growth } from '../../src/store/retention.ts';

const MAX_BYTES = 16 * 2 ** 20;

/** Seen once a second for a minute, while it grows by `bytesPerSecond`. */
function growing(bytesPerSecond: number, cycleMs: number): { fromBytes: number; untilBytes: number } {
  const growth = new Growth(1_000);
  growth.cycleMs = cycleMs;
  for (let second = 0; second <= 60; second++) growth.observe(bytesPerSecond, second * 1_000);
  expect(growth.bytesPerSecond).toBeCloseTo(bytesPerSecond, -1);
  return growth.boundsFor(MAX_BYTES);
}

test('a store that does not grow loses what is above the limit, and little more', () => {
  expect(growing(0, 60_000)).toEqual({ fromBytes: MAX_BYTES * 1.02, untilBytes: MAX_BYTES * 0.97 });
});

test.each([
  [100_000, 2_000],
  [500_000, 4_000],
  [1_000_000, 4_000],
])('while %d bytes a second come, and space is made in %d ms, the limit holds within a tenth', (speed, cycleMs) => {
  const { fromBytes, untilBytes } = growing(speed, cycleMs);
  expect(fromBytes + (speed * (cycleMs + 1_000)) / 1_000).toBeLessThanOrEqual(MAX_BYTES * 1.1);
  expect(fromBytes - untilBytes).toBeGreaterThanOrEqual(MAX_BYTES * 0.05 - 1);
});

test('however fast spans come, almost half of the limit stays', () => {
  expect(growing(1e9, 60_000).untilBytes).toBeGreaterThan(MAX_BYTES * 0.45);
});

test('a span between two looks that follow at once is no growth', () => {
  const growth = new Growth(1_000);
  growth.observe(0, 0);
  growth.observe(5_000, 1_000);
  growth.observe(5_000, 1_001);
  expect(growth.bytesPerSecond).toBeLessThan(5_000);
  expect(growth.boundsFor(MAX_BYTES).fromBytes).toBe(MAX_BYTES * 1.02);
});

test('when nothing comes any more, nothing is kept free any more', () => {
  const growth = new Growth(1_000);
  for (let second = 0; second <= 60; second++) growth.observe(1_000_000, second * 1_000);
  expect(growth.boundsFor(MAX_BYTES).fromBytes).toBeLessThan(MAX_BYTES);
  for (let second = 61; second <= 90; second++) growth.observe(0, second * 1_000);
  expect(growth.boundsFor(MAX_BYTES)).toEqual({ fromBytes: MAX_BYTES * 1.02, untilBytes: MAX_BYTES * 0.97 });
});

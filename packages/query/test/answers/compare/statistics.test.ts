import { expect, test } from '@jest/globals';
import { compareWindows } from '../../../src/answers/compare/compare-windows.ts';
import { randomFrom } from '../../../src/answers/compare/bootstrap-means.ts';
import { logNormal, windowOf } from './simulate.ts';

const RESAMPLES = 2000;

function sample(random: () => number, count: number, mean: number, sigma = 0.25): number[] {
  return Array.from({ length: count }, () => logNormal(random, mean, sigma));
}

test.each([
  [45, 60],
  [12, 12],
])(
  'the 95 %% intervals hold the true differences in about 95 %% of experiments: %d and %d conversations',
  (few, many) => {
    const random = randomFrom(20251008);
    const experiments = 800;
    const held = { means: 0, medians: 0 };
    for (let experiment = 0; experiment < experiments; experiment++) {
      const before = windowOf({ gpt: sample(random, few, 3400) });
      const after = windowOf({ gpt: sample(random, many, 3000) });
      const { intervalMs, medianIntervalMs } = compareWindows(before, after, RESAMPLES, random)[0]!;
      if (intervalMs![0] <= -400 && -400 <= intervalMs![1]) held.means += 1;
      // The median of a log-normal distribution lies below its mean by a fixed factor.
      const truth = -400 * Math.exp(-(0.25 ** 2) / 2);
      if (medianIntervalMs![0] <= truth && truth <= medianIntervalMs![1]) held.medians += 1;
    }
    // Chance adds ±1.5 points.
    expect(held.means / experiments).toBeGreaterThan(0.93);
    expect(held.means / experiments).toBeLessThan(0.975);
    expect(held.medians / experiments).toBeGreaterThan(0.915);
    expect(held.medians / experiments).toBeLessThan(0.98);
  },
);

test.each([45, 12])(
  'without a change, all rows together give a verdict in about 5 %% of comparisons of %d',
  (count) => {
    const random = randomFrom(42);
    const comparisons = 400;
    let wrong = 0;
    for (let comparison = 0; comparison < comparisons; comparison++) {
      const draw = (): ReturnType<typeof windowOf> =>
        windowOf({
          request: sample(random, count, 150),
          stt: sample(random, count, 1230),
          gpt: sample(random, count, 3420),
          tts: sample(random, count, 1350),
          response: sample(random, count, 460),
        });
      const rows = compareWindows(draw(), draw(), RESAMPLES, random);
      if (rows.some(({ verdict }) => verdict !== 'no clear change')) wrong += 1;
    }
    expect(wrong / comparisons).toBeLessThan(0.085);
    // A comparison that never errs would be one that never finds anything.
    expect(wrong).toBeGreaterThan(0);
  },
);

test('finds an improvement of 17 % in 45 conversations a side, and no other', () => {
  const random = randomFrom(9);
  const others = (): Record<string, number[]> => ({ stt: sample(random, 45, 1234.5), tts: sample(random, 45, 1345.6) });
  const before = windowOf({ ...others(), gpt: sample(random, 45, 3421.8, 0.22) });
  const after = windowOf({ ...others(), gpt: sample(random, 45, 2834.5, 0.22) });
  const verdicts = compareWindows(before, after, RESAMPLES, random).map(({ step, verdict }) => [step, verdict]);
  expect(verdicts).toEqual([
    ['stt', 'no clear change'],
    ['tts', 'no clear change'],
    ['gpt', 'faster'],
    ['conversation', 'faster'],
  ]);
  const backwards = compareWindows(after, before, RESAMPLES, random).map(({ verdict }) => verdict);
  expect(backwards).toEqual(['no clear change', 'no clear change', 'slower', 'slower']);
});

test('agrees with a bootstrap that gathers its rows one by one', () => {
  const random = randomFrom(3);
  const before = sample(random, 80, 1000, 0.5);
  const after = sample(random, 120, 1100, 0.5);
  const meanOfDrawn = (values: readonly number[]): number => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++)
      sum += values[Math.floor((random() / 0x1_0000_0000) * values.length)]!;
    return sum / values.length;
  };
  const naive = Array.from({ length: 20_000 }, () => meanOfDrawn(after) - meanOfDrawn(before)).sort((a, b) => a - b);
  const [low, high] = compareWindows(windowOf({ gpt: before }), windowOf({ gpt: after }), 20_000, random)[0]!
    .intervalMs!;
  // The standard deviation of the difference is some 70 ms, so the ends of both scatter by about 1.5 ms.
  expect(Math.abs(low - naive[500]!)).toBeLessThan(10);
  expect(Math.abs(high - naive[19_500]!)).toBeLessThan(10);
});

test('the same data and the same seed give the same answer', () => {
  const before = windowOf({ gpt: sample(randomFrom(1), 45, 3400) });
  const after = windowOf({ gpt: sample(randomFrom(2), 45, 3400) });
  const once = compareWindows(before, after, RESAMPLES, randomFrom(5));
  expect(compareWindows(before, after, RESAMPLES, randomFrom(5))).toEqual(once);
  expect(compareWindows(before, after, RESAMPLES, randomFrom(6))).not.toEqual(once);
});

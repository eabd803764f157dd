import { expect, test } from '@jest/globals';
import { bootstrapMeans, randomFrom } from '../../../src/answers/compare/bootstrap-means.ts';
import { compareWindows } from '../../../src/answers/compare/compare-windows.ts';
import { stepOrderOfBoth } from '../../../src/answers/compare/compared-sides.ts';
import { stepDurations } from '../step-durations.ts';
import { logNormal, windowOf } from './simulate.ts';

const alternating = (count: number, low: number, high: number): number[] =>
  Array.from({ length: count }, (_none, row) => (row % 2 === 0 ? low : high));

test('fewer than ten conversations on either side are too few, without an interval', () => {
  const nine = windowOf({ gpt: alternating(9, 100, 200) });
  const ten = windowOf({ gpt: alternating(10, 1100, 1200) });
  for (const [before, after] of [
    [nine, ten],
    [ten, nine],
  ] as const) {
    for (const row of compareWindows(before, after, 2000, randomFrom(1))) {
      expect(row.verdict).toBe('too few');
      expect(row).not.toHaveProperty('intervalMs');
      expect(row).toHaveProperty('deltaMs');
    }
  }
  expect(compareWindows(ten, ten, 2000, randomFrom(1))[0]!.verdict).toBe('no clear change');
});

test('many spans of few conversations are too few', () => {
  const crowded = windowOf({ gpt: alternating(9, 100, 200) });
  crowded.durations.steps[0]!.counted.fill(100);
  const [row] = compareWindows(crowded, windowOf({ gpt: alternating(20, 1100, 1200) }), 2000, randomFrom(1));
  expect(row!.verdict).toBe('too few');
});

test('rows that are too few do not make the others harder to tell', () => {
  const shared = { gpt: alternating(20, 100, 200) };
  const [row] = compareWindows(windowOf(shared), windowOf({ gpt: alternating(20, 300, 400) }), 2000, randomFrom(1));
  expect(row).toMatchObject({ verdict: 'slower', deltaMs: 200, deltaPct: 133.33 });
  expect(row!.intervalMs![0]).toBeGreaterThan(100);
  expect(row!.intervalMs![1]).toBeLessThan(300);
});

test('a verdict on many rows rests on as many resamples as its level needs, whatever the seed', () => {
  const random = randomFrom(11);
  const flat = Object.fromEntries(
    Array.from({ length: 30 }, (_none, index) => [`step ${index}`, alternating(45, 9, 10)]),
  );
  const values = Array.from({ length: 45 }, () => logNormal(random, 1000, 0.2));
  const verdictsAt = (shiftMs: number): Set<string> =>
    new Set(
      Array.from({ length: 30 }, (_none, seed) => {
        const before = windowOf({ ...flat, gpt: values });
        const after = windowOf({ ...flat, gpt: values.map((value) => value + shiftMs) });
        return compareWindows(before, after, 2000, randomFrom(seed)).find(({ step }) => step === 'gpt')!.verdict;
      }),
    );
  // With 32 rows an interval of 1 − 0.05/32 has to leave out 0: 3.16 standard errors. These lie a little on either side.
  const standardError = Math.sqrt((2 * varianceOf(values)) / values.length);
  expect(verdictsAt(2.85 * standardError)).toEqual(new Set(['no clear change']));
  expect(verdictsAt(3.5 * standardError)).toEqual(new Set(['slower']));
});

function varianceOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

test('a step that took no time before has a difference but no percentage', () => {
  const [row] = compareWindows(windowOf({ cache: [0] }), windowOf({ cache: [5] }), 2000, randomFrom(1));
  expect(row).toMatchObject({ step: 'cache', deltaMs: 5, verdict: 'too few' });
  expect(row).not.toHaveProperty('deltaPct');
});

test('a resample without anything to count is told as not a number', () => {
  const sums = Float64Array.of(10, 0, 0);
  const [means] = bootstrapMeans(
    [{ rows: Uint32Array.of(0, 1, 2), sums, counts: Uint32Array.of(1, 0, 0) }],
    3,
    1000,
    randomFrom(1),
  );
  // The only row that counts is missed by (2/3)^3 = 30 % of the samples.
  const missed = means!.filter(Number.isNaN).length;
  expect(missed).toBeGreaterThan(230);
  expect(missed).toBeLessThan(370);
  expect(new Set(means!.filter((mean) => !Number.isNaN(mean)))).toEqual(new Set([10]));
});

test('many rows are resampled in groups, and the mean varies as it would among the rows', () => {
  const rowCount = 40_000;
  const random = randomFrom(3);
  // A step that runs once or twice in two of three conversations, and takes the longer the more often it runs.
  const places = [...Array(rowCount).keys()].filter(() => random() % 3 > 0);
  const counts = Uint32Array.from(places, () => 1 + (random() % 2));
  const sums = Float64Array.from(counts, (count) => count * count * (500 + (random() % 1000)));
  const column = { rows: Uint32Array.from(places), sums, counts };
  const [means] = bootstrapMeans([column], rowCount, 2000, random);
  const mean = sums.reduce((all, sum) => all + sum, 0) / counts.reduce((all, count) => all + count, 0);
  // Of a ratio of two sums, by linearization (Cochran, Sampling Techniques, 1977, section 6.4).
  const residuals = [...sums].map((sum, place) => sum - mean * counts[place]!);
  const meanCount = counts.reduce((all, count) => all + count, 0) / rowCount;
  const expected = Math.sqrt(residuals.reduce((all, each) => all + each ** 2, 0)) / (meanCount * rowCount);
  const found = Math.sqrt(varianceOf([...means!]));
  // 1.6 % is one standard deviation, of 2,000 samples.
  expect(Math.abs(found / expected - 1)).toBeLessThan(0.05);
  expect(Math.abs(means!.reduce((all, each) => all + each, 0) / means!.length - mean)).toBeLessThan(expected / 5);
});

test('the newest 500 conversations of both windows decide the order of steps', () => {
  const old = stepDurations(
    Array.from({ length: 600 }, (_none, row) => ({
      traceId: `old ${row}`,
      startUnixNano: BigInt(row),
      steps: { b: { offsetMs: 0, countedMs: 1 }, a: { offsetMs: 10, countedMs: 1 } },
    })),
  );
  const recent = (count: number): ReturnType<typeof stepDurations> =>
    stepDurations(
      Array.from({ length: count }, (_none, row) => ({
        traceId: `new ${row}`,
        startUnixNano: BigInt(1000 + row),
        steps: { a: { offsetMs: 0, countedMs: 1 }, b: { offsetMs: 10, countedMs: 1 } },
      })),
    );
  const { statistics } = windowOf({ a: [1], b: [1] });
  const orderWith = (count: number): string[] =>
    stepOrderOfBoth([
      { statistics, durations: old },
      { statistics, durations: recent(count) },
    ]);
  expect(orderWith(260)).toEqual(['a', 'b']);
  expect(orderWith(240)).toEqual(['b', 'a']);
});

/** `template` with a step that runs up to twice in each conversation, the longer the more often. */
function manyCalls(template: ReturnType<typeof windowOf>, seed: number): ReturnType<typeof windowOf> {
  const random = randomFrom(seed);
  const [step] = template.durations.steps;
  const counted = Uint32Array.from(step!.counted, () => (random() % 3 > 0 ? 1 : 2));
  const countedMs = Float64Array.from(counted, (count) => logNormal(random, 1000, 0.5) * count ** 1.5);
  const total = countedMs.reduce((sum, ms) => sum + ms, 0);
  const averageMs = total / counted.reduce((sum, count) => sum + count, 0);
  return {
    durations: { ...template.durations, steps: [{ ...step!, counted, countedMs }] },
    statistics: template.statistics.map((row) => ({ ...row, averageMs })),
  };
}

test('with very many conversations, the interval is the one that resampling leads to', () => {
  const before = manyCalls(windowOf({ gpt: alternating(6_000, 1, 2) }), 1);
  const after = manyCalls(windowOf({ gpt: alternating(7_000, 1, 2) }), 2);
  const [row] = compareWindows(before, after, 2000, randomFrom(1));
  const [one, other] = [before, after].map(({ durations: { steps, traceIds } }) => {
    const { rows, countedMs: sums, counted: counts } = steps[0]!;
    return bootstrapMeans([{ rows, sums, counts }], traceIds.length, 4000, randomFrom(7))[0]!;
  });
  const differences = other!.map((mean, resample) => mean - one![resample]!).sort();
  const [low, high] = [differences[100]!, differences[3899]!];
  const [foundLow, foundHigh] = row!.intervalMs!;
  expect(Math.abs((foundHigh - foundLow) / (high - low) - 1)).toBeLessThan(0.06);
  expect(Math.abs(foundLow + foundHigh - low - high) / 2).toBeLessThan((high - low) * 0.04);
  expect((foundLow + foundHigh) / 2).toBeCloseTo(row!.deltaMs!, 9);
});

test('with very many conversations, 95 % of the intervals hold the difference', () => {
  const pairs = 300;
  const template = windowOf({ gpt: alternating(5_000, 1, 2) });
  let held = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const [before, after] = [manyCalls(template, pair * 2), manyCalls(template, pair * 2 + 1)];
    const [row] = compareWindows(before, after, 2000, randomFrom(1));
    const [low, high] = row!.intervalMs!;
    if (low <= 0 && high >= 0) held += 1;
  }
  // 1.3 % is one standard deviation.
  expect(held / pairs).toBeGreaterThan(0.92);
  expect(held / pairs).toBeLessThan(0.98);
});

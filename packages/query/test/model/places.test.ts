import { expect, test } from '@jest/globals';
import { randomFrom } from '../../src/answers/compare/bootstrap-means.ts';
import { quantileOfSorted } from '../../src/model/numbers.ts';
import { placesInOrder, quantilesOf, valueAtPlace } from '../../src/model/places.ts';

/** Numbers of very different sizes and signs, many of them equal, some missing. */
function valuesFrom(seed: number, count: number): Float64Array {
  const random = randomFrom(seed);
  return Float64Array.from({ length: count }, () => {
    const kind = random() % 8;
    if (kind === 0) return Number.NaN;
    if (kind === 1) return (random() % 5) - 2;
    return ((random() % 2 === 0 ? -1 : 1) * random()) / 2 ** (random() % 64);
  });
}

test.each([10, 3_000, 70_000])('places of %i values are in the order of comparing, equal ones by place', (count) => {
  const values = valuesFrom(count, count);
  const places = [...values.keys()].filter((place) => !Number.isNaN(values[place]!));
  expect([...placesInOrder(values)]).toEqual(places.sort((a, b) => values[a]! - values[b]! || a - b));
});

test('all values may be missing, or the same', () => {
  expect([...placesInOrder(new Float64Array(2_000).fill(Number.NaN))]).toEqual([]);
  expect([...placesInOrder(new Float64Array(2_000).fill(7))]).toEqual([...Array(2_000).keys()]);
});

test.each([1, 2, 3, 4, 5])('values are at the place that sorting gives them, seed %i', (seed) => {
  const values = valuesFrom(seed, 200 * seed).filter((value) => !Number.isNaN(value));
  const sorted = values.toSorted();
  for (const place of [0, 1, Math.floor(values.length / 2), values.length - 1]) {
    expect(valueAtPlace(values, place)).toBe(sorted[place]);
  }
  for (const ordered of [sorted, sorted.toReversed(), new Float64Array(50).fill(3)]) {
    expect(valueAtPlace(ordered.slice(), 17)).toBe(ordered.toSorted()[17]);
  }
  const probabilities = [0, 0.25, 0.5, 0.95, 1];
  expect(quantilesOf(values, probabilities)).toEqual(probabilities.map((each) => quantileOfSorted(sorted, each)));
});

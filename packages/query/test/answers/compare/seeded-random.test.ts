import { expect, test } from '@jest/globals';
import { randomFrom } from '../../../src/answers/compare/bootstrap-means.ts';

test('one seed gives one sequence, another seed another', () => {
  const take = (seed: number): number[] => Array.from({ length: 5 }, randomFrom(seed));
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
});

test('is xoshiro128** 1.1', () => {
  // The recurrence of the reference implementation, written out over BigInt, from the state that seed 0 gives.
  const mask = 0xffff_ffffn;
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask;
  let weyl = 0n;
  const state = [0, 0, 0, 0].map(() => {
    weyl = (weyl + 0x9e3779b9n) & mask;
    let mixed = weyl;
    mixed = ((mixed ^ (mixed >> 16n)) * 0x85ebca6bn) & mask;
    mixed = ((mixed ^ (mixed >> 13n)) * 0xc2b2ae35n) & mask;
    return mixed ^ (mixed >> 16n);
  }) as [bigint, bigint, bigint, bigint];
  const random = randomFrom(0);
  for (let round = 0; round < 50; round++) {
    expect(random()).toBe(Number((rotate((state[1] * 5n) & mask, 7n) * 9n) & mask));
    const shifted = (state[1] << 9n) & mask;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11n);
  }
});

test('every sixteenth of the range is as likely as any other', () => {
  const random = randomFrom(1);
  const seen = Array.from({ length: 16 }, () => 0);
  for (let draw = 0; draw < 160_000; draw++) seen[random() >>> 28]! += 1;
  const chiSquare = seen.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // 15 degrees of freedom: above 37.7 once in a thousand times.
  expect(chiSquare).toBeLessThan(37.7);
});

import { randomFrom } from '@convotel/query/engine';

/** Random numbers that a seed repeats. */
export interface SeededRandom {
  /** A number from 0 to below 1. */
  next(): number;
  /** A whole number from `min` to `max`. */
  whole(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  hex(digits: number): string;
}

/** The numbers that follow from `seed`. */
export function seededRandom(seed: number): SeededRandom {
  const draw = randomFrom(seed);
  const next = (): number => draw() / 2 ** 32;
  const whole = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (items) => items[whole(0, items.length - 1)]!,
    hex: (digits) => Array.from({ length: digits }, () => whole(0, 15).toString(16)).join(''),
  };
}

/** The seed of this run: `CONVOTEL_TEST_SEED` where it is set, else from the clock. */
export function seedOfRun(): number {
  const given = process.env['CONVOTEL_TEST_SEED'];
  return given === undefined || given === '' ? Date.now() % 1_000_000 : Number(given);
}

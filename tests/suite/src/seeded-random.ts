/** Random numbers that a seed repeats. */
export interface SeededRandom {
  /** A number from 0 to below 1. */
  next(): number;
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  hex(digits: number): string;
}

/** Marsaglia's xorshift with 32 bits and shifts 13, 17, 5 (Journal of Statistical Software 8(14), 2003). */
export function seededRandom(seed: number): SeededRandom {
  // Zero is its only fixed point; spreading the seed keeps neighbours apart.
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
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

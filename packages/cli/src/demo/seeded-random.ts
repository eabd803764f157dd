/**
 * A seeded source of numbers from 0 (included) to 1 (excluded), so that the demo's history is the same every time.
 * mulberry32 by Tommy Ettinger (public domain): 32 bits of state, good enough for pictures, not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A number around 0 with a standard deviation of 1 (sum of twelve uniform ones, less its mean). */
export function aboutNormal(random: () => number): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw += 1) sum += random();
  return sum;
}

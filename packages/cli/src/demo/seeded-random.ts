import { randomFrom } from '@convotel/query';

/** A seeded source of numbers from 0 (included) to 1 (excluded), so that the demo's history is the same every time. */
export function seededRandom(seed: number): () => number {
  const next = randomFrom(seed);
  return () => next() / 0x1_0000_0000;
}

/** A number around 0 with a standard deviation of 1 (sum of twelve uniform ones, less its mean). */
export function aboutNormal(random: () => number): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw += 1) sum += random();
  return sum;
}

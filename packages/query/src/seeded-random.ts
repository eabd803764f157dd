// Taken once: a draw is made millions of times, and looking a global up in each shows.
const { imul } = Math;

/** Gives the next number of a sequence, each whole number in `[0, 2^32)` as likely as any other. */
export type Random = () => number;

/**
 * A sequence of 32-bit random numbers that is the same for the same `seed` everywhere: xoshiro128** 1.1 by David
 * Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it), its state filled from the seed by SplitMix32
 * (the 32-bit finaliser of MurmurHash3 over a Weyl sequence), so that seeds close together give unlike sequences.
 *
 * For statistics, not for secrets.
 */
export function randomFrom(seed: number): Random {
  let weyl = seed | 0;
  const splitMix = (): number => {
    weyl = (weyl + 0x9e3779b9) | 0;
    let mixed = weyl;
    mixed = imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
  let a = splitMix();
  let b = splitMix();
  let c = splitMix();
  let d = splitMix();
  return () => {
    const scrambled = imul(b, 5);
    const result = imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
}

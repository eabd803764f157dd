/** Random numbers that a seed repeats. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `min` to `max`. */
  whole(min: number, max: number): number;
}

/** One line of the table: what was measured, and what it must be. */
export interface Measured {
  /** What the number says, such as `acknowledged spans missing`. */
  name: string;
  value: number;
  atMost?: number | undefined;
  atLeast?: number | undefined;
}

export interface FaultRun {
  /** Short runs suit a check of every change; long ones reach the figures that are promised. */
  isLong: boolean;
  random: Random;
  measured: (measured: Measured) => void;
}

/** Something that goes wrong, and what must hold nevertheless. One file a fault, in `rows/`. */
export interface Fault {
  name: string;
  run(run: FaultRun): Promise<void>;
}

export function isReached({ value, atMost, atLeast }: Measured): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

/** Mulberry32 by Tommy Ettinger: 32 bits of state, public domain. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, whole: (min, max) => min + Math.floor(next() * (max - min + 1)) };
}

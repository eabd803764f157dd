import type { Random } from './random.ts';

/** One line of the table: what was measured, and what it must be. */
export interface Measured {
  /** What the number says, such as `noted steps missing`. */
  name: string;
  value: number;
  atMost?: number | undefined;
  atLeast?: number | undefined;
}

/**
 * `short` runs are part of `npm test`. `ci` runs try everything more often, and are judged by counts alone: a machine that
 * is busy does not fail them. `long` runs reach the figures that the README promises.
 */
export type RunSize = 'short' | 'ci' | 'long';

export interface FaultRun {
  size: RunSize;
  /** Whether figures of time and memory are judged. */
  isLong: boolean;
  random: Random;
  measured: (measured: Measured) => void;
}

/** Something that goes wrong, and what must hold nevertheless. One file a fault, in `rows/`. */
export interface Fault {
  name: string;
  run(run: FaultRun): Promise<void>;
}

/** How often, or how long, in a run of this size. */
export function bySize({ size }: FaultRun, amounts: Readonly<Record<RunSize, number>>): number {
  return amounts[size];
}

export function isReached({ value, atMost, atLeast }: Measured): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

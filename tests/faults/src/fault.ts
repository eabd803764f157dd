import type { Random } from './random.ts';

/** One line of the table: what was measured, and what it must be. */
export interface Measured {
  /** What the number says, such as `noted steps missing`. */
  name: string;
  value: number;
  atMost?: number | undefined;
  atLeast?: number | undefined;
}

export interface FaultRun {
  /** Short runs are part of `npm test`; long ones reach the figures that the README promises. */
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

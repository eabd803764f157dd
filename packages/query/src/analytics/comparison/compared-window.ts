import type { StepDurations, StepStatistics } from '../../questions.ts';

/** What `compare` knows of one of its two windows. */
export interface ComparedWindow {
  /** With the quantiles {@link COMPARED_RANKS}. */
  statistics: readonly StepStatistics[];
  durations: StepDurations;
}

/** Ranks of the quantiles in a row of `compare`: P50 and P95. */
export const COMPARED_RANKS: readonly number[] = [0.5, 0.95];

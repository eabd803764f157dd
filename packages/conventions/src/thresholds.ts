import type { StepKind } from './step-kinds.ts';

/** Thresholds that answers and findings use unless told otherwise, in milliseconds. Each is a bucket bound. */
export const THRESHOLD = {
  /** A conversation with a total under it satisfies. */
  targetMs: 7000,
  /** `slow` lists conversations above it. */
  slowMs: 5000,
  /** A conversation above it is a warning sign. */
  conversationWarningMs: 15_000,
  /** Averages and percentiles leave out completed steps of this length and more. */
  longestCountedStepMs: 60_000,
} as const;

/** Total and wall clock are named side by side where they differ by more than this share of the total, in per cent. */
export const STEP_SUM_DIFFERS_FROM_PCT = 1;

/** A completed step that takes longer than this is a warning sign, in milliseconds, by the kind of step. */
export const STEP_WARNING_MS: Readonly<Partial<Record<StepKind, number>>> = {
  speech_to_text: 3000,
  language_model: 8000,
  text_to_speech: 3000,
  playback: 1000,
};

import type { StepKind } from './step-kinds.ts';

/** Thresholds that answers and findings use unless told otherwise, in milliseconds. Each is a bucket bound. */
export const THRESHOLD = {
  /** A conversation that lasts less than this satisfies; `slow` lists longer ones. */
  targetMs: 7000,
  /** A conversation above it is a warning sign. */
  conversationWarningMs: 15_000,
  /** Averages and percentiles leave out completed steps of this length and more. */
  longestCountedStepMs: 60_000,
} as const;

/** The sum of the steps is named beside the duration where it differs from it by more than this share, in per cent. */
export const STEP_SUM_DIFFERS_FROM_PCT = 1;

/** A completed step that takes longer than this is a warning sign, in milliseconds, by the kind of step. */
export const STEP_WARNING_MS: Readonly<Partial<Record<StepKind, number>>> = {
  speech_to_text: 3000,
  language_model: 8000,
  text_to_speech: 3000,
  playback: 1000,
};

import type { StepKind } from './step-kinds.ts';

/** Metrics that the program itself sends. */
export const METRIC = {
  /** Up-down counter, `{conversation}`: conversations in progress. */
  conversationActive: 'conversation.active',
  /** Up-down counter, `{step}`: steps in progress. */
  stepActive: 'conversation.step.active',
  /** Histogram, s; off by default. */
  conversationDuration: 'conversation.duration',
  /** Histogram, s; off by default. */
  stepDuration: 'conversation.step.duration',
  /** Histogram, s: one value per conversation and process, that of the first step that answered the user. */
  responseLatency: 'conversation.response_latency',
  /** Histogram, s. */
  timeToFirstOutput: 'conversation.step.time_to_first_output',
  /** Histogram, s, with the attribute {@link METRIC_ATTRIBUTE.part}. */
  stepTiming: 'conversation.step.timing',
  /** Up-down counter, `{span}`: span counts of a process, by {@link METRIC_ATTRIBUTE.telemetryState}. */
  telemetrySpans: 'conversation.telemetry.spans',
} as const;

/** Attributes of {@link METRIC}. The conversation id is never one of them. */
export const METRIC_ATTRIBUTE = {
  workflow: 'gen_ai.workflow.name',
  step: 'conversation.step.name',
  outcome: 'conversation.outcome',
  part: 'conversation.step.timing.part',
  errorType: 'error.type',
  /** `finished`, `inherited` (from an earlier run), `delivered`, `waiting` or `dropped`. */
  telemetryState: 'conversation.telemetry.state',
  /** Why spans were dropped; only if the state is `dropped`. */
  telemetryReason: 'conversation.telemetry.reason',
} as const;

/** Bucket bounds of every duration histogram, in seconds. Every default threshold is one of them. */
export const DURATION_BUCKET_BOUNDS_SECONDS: readonly number[] = [
  0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60,
];

/** Default thresholds of answers and findings, in milliseconds. Each is a bucket bound. */
export const THRESHOLD = {
  /** A shorter conversation meets the target; `slow` lists longer ones. */
  targetMs: 7000,
  /** A longer conversation is reported as a warning. */
  conversationWarningMs: 15_000,
  /** Averages and percentiles exclude completed steps that took this long or longer. */
  longestCountedStepMs: 60_000,
} as const;

/** The sum of the steps is shown in addition to the duration if they differ by more than this percentage. */
export const STEP_SUM_DIFFERS_FROM_PCT = 1;

/** Durations above which a completed step is reported as a warning, in milliseconds, by kind of step. */
export const STEP_WARNING_MS: Readonly<Partial<Record<StepKind, number>>> = {
  speech_to_text: 3000,
  language_model: 8000,
  text_to_speech: 3000,
  playback: 1000,
};

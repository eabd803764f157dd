/** Metrics that the program itself sends, by what they mean. */
export const METRIC = {
  /** Up-down counter, `{conversation}`: conversations in progress. */
  conversationActive: 'conversation.active',
  /** Up-down counter, `{step}`: steps in progress. */
  stepActive: 'conversation.step.active',
  /** Histogram, s; off by default. */
  conversationDuration: 'conversation.duration',
  /** Histogram, s; off by default. */
  stepDuration: 'conversation.step.duration',
  /** Histogram, s: one value a conversation and process, that of the first step that answered the user. */
  responseLatency: 'conversation.response_latency',
  /** Histogram, s. */
  timeToFirstOutput: 'conversation.step.time_to_first_output',
  /** Histogram, s, with the attribute {@link METRIC_ATTRIBUTE.part}. */
  stepTiming: 'conversation.step.timing',
} as const;

/** Attributes of {@link METRIC}. The conversation id is never one of them. */
export const METRIC_ATTRIBUTE = {
  workflow: 'gen_ai.workflow.name',
  step: 'conversation.step.name',
  outcome: 'conversation.outcome',
  part: 'conversation.step.timing.part',
  errorType: 'error.type',
} as const;

/** Upper bounds of every duration histogram, in seconds. Every threshold that we ship is one of them. */
export const DURATION_BUCKET_BOUNDS_SECONDS: readonly number[] = [
  0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60,
];

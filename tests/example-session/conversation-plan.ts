/** One step of a planned conversation. */
export interface StepPlan {
  step: string;
  durationMs: number;
  /** Between the end of the step before and the start of this one. @defaultValue `0` */
  gapMs?: number;
  /** Message of the error it fails with; absent where it completes. */
  error?: string;
  input?: string;
  output?: string;
  inputChars?: number;
  firstOutputMs?: number;
  /** Named parts of the step, in ms. */
  timingsMs?: Record<string, number>;
}

/** A conversation as a session's fixtures describe it: its steps follow each other. */
export interface ConversationPlan {
  id: string;
  /** RFC 3339 with an offset and up to 9 decimals. */
  start: string;
  steps: StepPlan[];
}

/** Plans by the name that a transcript gives them. */
export type PlansByName = Record<string, ConversationPlan[]>;

/** Steps of the given durations, in ms, in the order of the keys. */
export function stepsOf(durationsMs: Record<string, number>): StepPlan[] {
  return Object.entries(durationsMs).map(([step, durationMs]) => ({ step, durationMs }));
}

/** `count` plans, `everyMinutes` apart from `start` on; the id is the prefix and a number. */
export function plansEvery(
  everyMinutes: number,
  { prefix, start, count }: { prefix: string; start: string; count: number },
  stepsAt: (index: number) => StepPlan[],
): ConversationPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${String(index + 1).padStart(3, '0')}`,
    start: new Date(Date.parse(start) + index * everyMinutes * 60_000).toISOString(),
    steps: stepsAt(index),
  }));
}

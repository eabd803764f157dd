import type {
  CommonErrorRow,
  ComparisonRow,
  ConversationDetail,
  SlowConversationRow,
  StepAverageRow,
  StepErrorRow,
  StepPercentiles,
  StepSuccessRow,
} from '../answers/data.ts';

/** What the rules of `summary` and `timeline` look at. */
export interface SummaryFacts {
  detail: ConversationDetail;
  /** A conversation with a total under it satisfies. */
  targetMs: number;
}

/** What the rules of `trace` look at. */
export interface TraceFacts extends SummaryFacts {
  /** Steps that most of the newest 50 conversations have after the last one that this one reached, in step order. */
  missingSteps: string[];
}

/** What the rules of `averages` look at. */
export interface AveragesFacts {
  rows: StepAverageRow[];
  /** Sum of the outermost counted steps, per conversation of the window; absent without conversations. */
  meanTotalMs?: number;
}

/** What the rules of `percentiles` look at. */
export interface PercentilesFacts {
  data: StepPercentiles;
}

/** What the rules of `slow` look at. */
export interface SlowFacts {
  rows: SlowConversationRow[];
  thresholdMs: number;
  targetMs: number;
  /** Over the conversations listed: completed outermost milliseconds by step. */
  completedMsByStep: Record<string, number>;
}

/** What the rules of `errors` look at. */
export interface ErrorsFacts {
  /** In step order. */
  rows: StepErrorRow[];
  /** The most frequent first. */
  commonErrors: CommonErrorRow[];
}

/** What the rules of `success` look at. */
export interface SuccessFacts {
  rows: StepSuccessRow[];
}

/** What the rules of `common-errors` look at. */
export interface CommonErrorsFacts {
  rows: CommonErrorRow[];
}

/** What the rules of `compare` look at. */
export interface ComparisonFacts {
  /** The steps in step order, then the row `conversation`. */
  rows: ComparisonRow[];
}

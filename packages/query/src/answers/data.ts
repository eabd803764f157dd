import type { Outcome } from '@convotel/conventions';
import type { ConversationOutcome } from '../model/conversation.ts';

/**
 * The `data` of every command, as `--json` prints it: the contract with users, which only grows.
 *
 * Times are RFC 3339 in UTC with 6 decimals, `…Ms` are milliseconds, `…Pct` percentages rounded to two decimals
 * (halves away from zero); nothing else is rounded. What is unknown is absent.
 */

/** A row of `recent` and `longest`. */
export interface ConversationRow {
  conversationId: string;
  traceId: string;
  startTime: string;
  endTime: string;
  /** Sum of the outermost steps' durations. */
  totalMs: number;
  /** End − start. */
  wallMs: number;
  stepCount: number;
  outcome: ConversationOutcome;
}

/** A row of `slow`. */
export interface SlowConversationRow extends ConversationRow {
  /** End − start: how long it took by the clock. */
  completedMs: number;
}

/** One step of one conversation. */
export interface StepRow {
  step: string;
  spanId: string;
  parentSpanId?: string;
  startTime: string;
  endTime: string;
  durationMs: number;
  /** Share of the conversation's total. */
  sharePct: number;
  outcome: Outcome;
  /** 0 for an outermost step. */
  depth: number;
  attempt?: number;
  input?: string;
  output?: string;
  inputChars?: number;
  outputChars?: number;
  errorType?: string;
  errorMessage?: string;
  timings?: Record<string, number>;
  timeToFirstOutputMs?: number;
  /** Start − the conversation's start; in `timeline`. */
  offsetMs?: number;
}

/** The data of `summary`, `trace` and `timeline`. */
export interface ConversationDetail extends ConversationRow {
  /** Wall − the time covered by at least one step. */
  unattributedMs: number;
  steps: StepRow[];
}

/** What averages and percentiles do not count. */
export interface LeftOut {
  /** Completed spans of 60 s and more. */
  tooLong: number;
  /** Spans that are not completed. */
  notCompleted: number;
}

/** A row of `averages`. */
export interface StepAverageRow {
  step: string;
  count: number;
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  leftOut: LeftOut;
  /** Mean in ms of each named part. */
  timings: Record<string, number>;
}

/** Percentiles that `percentiles` answers. */
export type PercentileName = 'p10' | 'p25' | 'p50' | 'p75' | 'p90' | 'p95' | 'p99';

/** The data of `percentiles`. */
export interface StepPercentiles {
  step: string;
  count: number;
  leftOut: LeftOut;
  /** In ms; empty where nothing is counted. */
  percentiles: Partial<Record<PercentileName, number>>;
}

/** A row of `errors`. */
export interface StepErrorRow {
  step: string;
  total: number;
  failures: number;
  errorRatePct: number;
}

/** A row of `success`. */
export interface StepSuccessRow {
  step: string;
  total: number;
  completed: number;
  successRatePct: number;
}

/** A row of `common-errors`. */
export interface CommonErrorRow {
  step: string;
  errorType?: string;
  /** The message with what differs from one failure to the next replaced by `…`. */
  pattern?: string;
  /** Of the latest failure. */
  message?: string;
  count: number;
  lastSeen: string;
  conversationId: string;
}

/** A row of `hours`. */
export interface HourRow {
  /** The instant at which the hour begins. */
  hour: string;
  conversations: number;
}

/** A row of `busiest`. */
export interface HourOfDayRow {
  /** 0 to 23. */
  hourOfDay: number;
  conversations: number;
}

/** One side of a row of `compare`. */
export interface ComparedSide {
  count: number;
  averageMs?: number;
  p50Ms?: number;
  p95Ms?: number;
  /** Absent where there is no span (for the row `conversation`: no conversation that is not open). */
  errorRatePct?: number;
}

/** Whether a difference is one. */
export type Verdict = 'faster' | 'slower' | 'no clear change' | 'too few';

/** A row of `compare`; the last one is `conversation`, with totals. */
export interface ComparisonRow {
  step: string;
  before: ComparedSide;
  after: ComparedSide;
  /** After − before of the averages; absent where a side has none. */
  deltaMs?: number;
  deltaPct?: number;
  /** 95 % interval of `deltaMs`; absent where the verdict is `too few`. */
  intervalMs?: [low: number, high: number];
  verdict: Verdict;
}

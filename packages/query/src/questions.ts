import type { ConversationFilters, ConversationOutcome, ConversationRecord, Window } from './model/conversation.ts';
import type { Answer, Coverage } from './model/coverage.ts';
import type { GroupBy, StepColumn } from './model/groups.ts';
import type { QuantileInterval } from './model/order-statistics.ts';
import type { SpanRecord } from './model/span-record.ts';
import type { SessionSums } from './model/session-sums.ts';
import type { UsageSum } from './model/usage-sums.ts';

/**
 * The questions that every engine answers, and the type of each answer. All commands are built from them.
 *
 * Duplicates of a span, which have the same trace id, span id and start, count once: the one that ends last, else the
 * one that is not recovered, else the one that was read last. A conversation is a trace with a root or a step.
 *
 * The coverage of a question with a window counts the spans that start in the window and the conversations among them
 * (traces with a root or step there); with filters, only those of the selected conversations. For `conversations` in
 * order `newest`, which stops as soon as there are enough, and for one conversation, it counts all spans of the
 * conversations in the answer. Warnings, in this order: `samplingWarnings` for these spans; `unrecognisedWarning`, if
 * the question has no filters and there are spans but no conversations; `reuseWarnings` for the conversations in the
 * answer, or `foldedWarning` if step names were folded.
 */
export interface Questions {
  /**
   * All spans of the conversation: of the trace whose id is derived from the conversation id, else of the newest trace
   * with that conversation id, else of the trace with that trace id (hex). `spans` is empty if there is none.
   */
  conversation: { asked: ConversationQuestion; answer: ConversationSpans };
  conversations: { asked: ConversationsQuestion; answer: ConversationRecord[] };
  'step-statistics': { asked: StepStatisticsQuestion; answer: StepStatistics[] };
  'conversation-counts': { asked: ConversationCountsQuestion; answer: ConversationCount[] };
  'response-statistics': { asked: ResponseStatisticsQuestion; answer: ResponseStatistics[] };
  'common-errors': { asked: CommonErrorsQuestion; answer: CommonError[] };
  'step-durations': { asked: StepDurationsQuestion; answer: StepDurations };
  'attribute-values': { asked: AttributeValuesQuestion; answer: AttributeCount[] };
  sessions: { asked: SessionsQuestion; answer: SessionSums };
  'model-usage': { asked: ModelUsageQuestion; answer: UsageSum[] };
}

/** Maximum number of rows that one question may ask a server for. */
export const MAX_QUESTION_LIMIT = 10_000;

/** Maximum number of quantiles that one question may ask a server for. */
export const MAX_QUESTION_QUANTILES = 100;

/**
 * Maximum number of step names in an answer about all steps of a window: the most frequent ones among the spans that
 * start in it, ties by code point. All others are counted together as {@link OTHER_STEPS}.
 */
export const MAX_STEP_NAMES = 1_000;

/** The name of the row for the steps beyond {@link MAX_STEP_NAMES}. */
export const OTHER_STEPS = '(other)';

/** The name of a question, as in URLs. */
export type QuestionName = keyof Questions;

/** A question: its name and parameters. */
export type Question<Name extends QuestionName = QuestionName> = { name: Name } & Questions[Name]['asked'];

/** Any of the questions, discriminated by `name`. */
export type AnyQuestion = { [Name in QuestionName]: Question<Name> }[QuestionName];

/** Answers questions: an engine over a store, a back end, or a file. */
export interface ConversationSource {
  readonly kind: SourceKind;
  /** Address or path, for display. */
  readonly location: string;
  /**
   * Answers one question.
   * @throws `SourceError` if the back end cannot be reached or its response is invalid.
   */
  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  /** Closes files and connections. Do not call {@link ask} afterwards. */
  close(): Promise<void>;
}

/** One function per question; a missing one is a type error. */
export type Engine<Store> = {
  readonly [Name in QuestionName]: (
    store: Store,
    asked: Questions[Name]['asked'],
  ) => Answer<Questions[Name]['answer']> | Promise<Answer<Questions[Name]['answer']>>;
};

/** Answers `question` with `engine` over `store`. */
export async function askEngine<Store, Name extends QuestionName>(
  engine: Engine<Store>,
  store: Store,
  question: Question<Name>,
): Promise<Answer<Questions[Name]['answer']>> {
  const answer = await engine[question.name](store, question);
  return isCovered(question) ? answer : { ...answer, coverage: NOTHING_COVERED };
}

/** Whether `question` asks for the numbers in the coverage of its answer. */
export function isCovered(question: Pick<CoverageOption, 'coverage'> | object): boolean {
  return !('coverage' in question) || question.coverage !== false;
}

/** The coverage of an answer that was asked for without. */
export const NOTHING_COVERED: Coverage = { conversations: 0, spans: 0, complete: true, warnings: [] };

/** The kind of source that answers the questions. */
export type SourceKind = 'memory' | 'file' | 'local' | 'serve' | 'jaeger' | 'clickhouse';

/** An option of questions that a command asks beside another one about the same spans. */
export interface CoverageOption {
  /**
   * Whether to count what the answer was computed from. Without it, the coverage has no conversations, no spans, and only
   * warnings of what could not be read, and the answer costs a fraction less.
   * @defaultValue `true`
   */
  coverage?: boolean | undefined;
}

/** Asks for one conversation. */
export interface ConversationQuestion {
  conversationId: string;
}

/** The spans of one conversation, by start, then span id. */
export interface ConversationSpans {
  spans: SpanRecord[];
  /** Other traces with the same conversation id, newest first. */
  otherTraceIds: string[];
}

/** Asks for up to `limit` conversations that start in the window. */
export interface ConversationsQuestion {
  /** @defaultValue all time */
  window?: Window;
  filters?: ConversationFilters;
  /**
   * `newest`: by start. `longest`: by duration (end − start). `slowest`: by duration, without open conversations.
   * `slowest-response`: by response latency, without conversations that have none.
   * The largest value first; ties newest first, then by trace id.
   */
  order: 'newest' | 'longest' | 'slowest' | 'slowest-response';
  limit: number;
  /**
   * Only conversations with a longer duration than this, in nanoseconds; in order `slowest-response`, with a longer
   * response latency, rounded to nanoseconds.
   */
  aboveNano?: bigint | undefined;
}

/**
 * Asks for statistics per step, over the step spans that start in the window. Without `step`, names beyond
 * {@link MAX_STEP_NAMES} are in one row.
 */
export interface StepStatisticsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** Only this step, which has no row if it does not occur. @defaultValue all steps */
  step?: string;
  /** Probabilities from 0 to 1 of the quantiles in `quantilesMs`. */
  quantiles?: readonly number[];
  /** Whether each quantile has a confidence interval, for which its values are read twice. @defaultValue `false` */
  quantileIntervals?: boolean;
  /** Whether to fill `quantilesMs`; without it, `quantiles` are only those of the first output. @defaultValue `true` */
  durationQuantiles?: boolean;
  /** Whether to fill `timings`, which requires reading every span. @defaultValue `true` */
  timings?: boolean;
  /** Whether to include `firstOutput`, which requires reading every span. @defaultValue `false` */
  firstOutput?: boolean;
  /** One row per group and step. @defaultValue one row per step */
  groupBy?: GroupBy | undefined;
}

/**
 * Statistics of one step. *Counted* spans are the completed ones shorter than 60 s. Rows are ordered by group, then in
 * step order. Retries are recognised across groups.
 */
export interface StepStatistics {
  /** With `groupBy`. */
  group?: string;
  step: string;
  /** Number of all its spans; `total` = completed + failures + interrupted. */
  total: number;
  completed: number;
  /** Number of spans that `failed`, `timed_out` or were `abandoned`. */
  failures: number;
  /** Number of spans that were retried, whether or not the retry succeeded. */
  retried: number;
  /** Number of failures that were not retried. */
  finalFailures: number;
  /** Number of counted spans. */
  count: number;
  /** Of the counted spans; absent if there are none. */
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  /** Sum of the counted spans that are outermost. */
  outermostMs: number;
  /** `count` + `tooLong` + `notCompleted` = `total`. */
  leftOut: { tooLong: number; notCompleted: number };
  /** Mean of each timing in ms, over the counted spans that have it, with sorted keys; empty if not asked for. */
  timings: Record<string, number>;
  /**
   * A quantile for each probability, by linear interpolation at index (n−1)·q; empty if no span is counted or they were
   * not asked for.
   */
  quantilesMs: number[];
  /** With `quantileIntervals`, the 95 % confidence interval of each quantile, by order statistics. */
  quantileIntervalsMs?: QuantileInterval[];
  /** Time to first output of the counted spans; absent if none has it or it was not asked for. */
  firstOutput?: FirstOutputStatistics;
}

/** Statistics of the time to first output of one step, over the counted spans that have it. */
export interface FirstOutputStatistics {
  count: number;
  averageMs: number;
  /** Like {@link StepStatistics.quantilesMs}. */
  quantilesMs: number[];
  /** Like {@link StepStatistics.quantileIntervalsMs}. */
  quantileIntervalsMs?: QuantileInterval[];
}

/** Asks how many conversations start in each hour. */
export interface ConversationCountsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** `hour`: each hour in the time zone; `hourOfDay`: 0 to 23, over all days. */
  by: 'hour' | 'hourOfDay';
  /** IANA name, such as `Asia/Kolkata`. */
  timeZone: string;
}

/** Number of conversations in one hour; hours without any have no row. Oldest (or lowest) first. */
export interface ConversationCount {
  /** The instant at which the hour begins; with `by: 'hour'`. */
  hourUnixNano?: bigint;
  /** 0 to 23; with `by: 'hourOfDay'`. */
  hourOfDay?: number;
  conversations: number;
}

/** Asks how long users waited for an answer in the conversations that start in the window. */
export interface ResponseStatisticsQuestion extends CoverageOption {
  window: Window;
  filters?: ConversationFilters;
  /** Probabilities from 0 to 1 of the quantiles in `quantilesMs`. */
  quantiles?: readonly number[];
  /** Whether each quantile has a confidence interval. @defaultValue `false` */
  quantileIntervals?: boolean;
  /** One row per group. */
  groupBy?: GroupBy | undefined;
}

/**
 * Statistics of the response latency, over the conversations that have one. Without `groupBy`, there is always one row,
 * even without conversations; with it, one row for each group in which a conversation has a latency.
 */
export interface ResponseStatistics {
  /** With `groupBy`. */
  group?: string;
  conversations: number;
  /** Absent if there are none. */
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  /** Like {@link StepStatistics.quantilesMs}; empty if there are no conversations. */
  quantilesMs: number[];
  /** Like {@link StepStatistics.quantileIntervalsMs}. */
  quantileIntervalsMs?: QuantileInterval[];
}

/** Asks for the most frequent failures of steps that start in the window. */
export interface CommonErrorsQuestion extends CoverageOption {
  window: Window;
  filters?: ConversationFilters;
  limit: number;
  /**
   * Whether to look up the ids of the conversations. Without it, `conversationId` is the trace id, and the answer costs
   * a fraction less.
   * @defaultValue `true`
   */
  conversationIds?: boolean | undefined;
}

/**
 * Failures with the same step, error type and message pattern. Most frequent first, then latest first, then by step,
 * type and pattern (by code point, absent ones last).
 */
export interface CommonError {
  step: string;
  errorType?: string;
  /** The message, with the parts that vary between failures replaced by `…`; absent if there is no message. */
  pattern?: string;
  /** The message of the latest failure; if several started at the same time, of the first by trace id, then message. */
  message?: string;
  count: number;
  /** Latest start of a failed step. */
  lastSeenUnixNano: bigint;
  /** The conversation of that step. */
  conversationId: string;
}

/**
 * Asks for one row per conversation that starts in the window or has a step in it. Steps beyond {@link MAX_STEP_NAMES}
 * names in those conversations are in one column.
 */
export interface StepDurationsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** One column per group and step, and `groupMasks`. */
  groupBy?: GroupBy | undefined;
  /** Whether columns include `traits`, which requires reading more of every span. @defaultValue `false` */
  traits?: boolean;
  /**
   * Whether there are columns. Without them `steps` is empty, no step name is folded, and the answer costs a fraction.
   * @defaultValue `true`
   */
  steps?: boolean;
}

/**
 * A table with a row per conversation and a column per step, for statistics. All arrays have `traceIds.length`
 * elements. Rows are ordered by start, then trace id.
 */
export interface StepDurations {
  traceIds: string[];
  /** Start of each conversation, in Unix nanoseconds. */
  startTimesUnixNano: BigInt64Array;
  /** 1 if the conversation starts in the window, else 0. */
  startsInWindow: Uint8Array;
  outcomes: ConversationOutcome[];
  /** End − start in ms, including steps outside the window. */
  durationMs: Float64Array;
  /** Sum of its outermost steps in ms, including those outside the window. */
  stepSumMs: Float64Array;
  /** Response latency in ms; NaN if the conversation has none. */
  responseMs: Float64Array;
  /**
   * With `groupBy`, the groups of each conversation as a bit mask: bit i for `values[i]`, the next two bits for
   * `(other)` and `(none)`.
   */
  groupMasks?: Uint32Array;
  /** By group, then in step order. */
  steps: StepColumn[];
}

/** Asks for the values of an attribute on the steps that start in the window; see {@link GroupBy}. */
export interface AttributeValuesQuestion {
  window: Window;
  filters?: ConversationFilters;
  attribute: string;
  /** Only this step. */
  step?: string;
  limit: number;
}

/**
 * A value and the number of steps with it. Most frequent first, then by code point; steps without a value do not count.
 */
export interface AttributeCount {
  value: string;
  spans: number;
}

/**
 * Asks what model calls used in the conversations that start in the window. A call is a step with a provider, a model, a
 * number of tokens or input characters, or seconds of audio. By group, then step, model and recorded amounts; absent
 * groups and models last.
 */
export interface ModelUsageQuestion {
  window: Window;
  filters?: ConversationFilters;
  /**
   * Groups calls by the day on which their conversation starts (`YYYY-MM-DD` in `timeZone`), its workflow or its session.
   * @defaultValue no groups
   */
  by?: 'day' | 'workflow' | 'session';
  /** IANA name, such as `Asia/Kolkata`. */
  timeZone: string;
}

/** Asks for the sessions of the conversations that start in the window, added up over these, and for their number. */
export interface SessionsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** Maximum number of sessions. */
  limit: number;
}

import type { ConversationFilters, ConversationOutcome, ConversationRecord, Window } from './model/conversation.ts';
import type { Answer } from './model/coverage.ts';
import type { GroupBy, StepColumn } from './model/groups.ts';
import type { SpanRecord } from './model/span-record.ts';

/**
 * The questions that every engine answers, and what each is answered with. All commands are built from them.
 *
 * Spans are counted once per (trace id, span id, start). When two copies differ, the one that ends later counts, then
 * the one that is not recovered, then the one read last. A conversation is a trace with a root or a step.
 *
 * Coverage of a question with a window counts the spans that start in it and, among them, the conversations (traces
 * with a root or step there); with filters, only those of the chosen conversations. `samplingWarnings` over the same
 * spans are its warnings; then, where the question has no filters and finds spans but no conversation, the
 * `unrecognisedWarning`; then `reuseWarnings` over the conversations that an answer hands over, or `foldedWarning` where
 * names of steps were folded. Where a question
 * stops as soon as it has enough (`conversations` in order `newest`), and for one conversation, it counts all spans of
 * the conversations handed over.
 */
export interface Questions {
  /**
   * All spans of the conversation: of the derived trace, else of the newest trace that carries the id; a trace id in
   * hex is accepted too where no conversation has the id. `spans` is empty when there is none.
   */
  conversation: { asked: ConversationQuestion; answer: ConversationSpans };
  conversations: { asked: ConversationsQuestion; answer: ConversationRecord[] };
  'step-statistics': { asked: StepStatisticsQuestion; answer: StepStatistics[] };
  'conversation-counts': { asked: ConversationCountsQuestion; answer: ConversationCount[] };
  'response-statistics': { asked: ResponseStatisticsQuestion; answer: ResponseStatistics[] };
  'common-errors': { asked: CommonErrorsQuestion; answer: CommonError[] };
  'step-durations': { asked: StepDurationsQuestion; answer: StepDurations };
  'attribute-values': { asked: AttributeValuesQuestion; answer: AttributeCount[] };
}

/** Most rows that one question may ask a server for. */
export const MAX_QUESTION_LIMIT = 10_000;

/** Most quantiles that one question may ask a server for. */
export const MAX_QUESTION_QUANTILES = 100;

/**
 * Most step names that an answer about all steps of a window tells apart: the most frequent among the spans that start in
 * it, equal ones by code point. All others are counted together as {@link OTHER_STEPS}.
 */
export const MAX_STEP_NAMES = 1_000;

/** The name of the row for the steps beyond {@link MAX_STEP_NAMES}. */
export const OTHER_STEPS = '(other)';

/** A question's name, also in URLs. */
export type QuestionName = keyof Questions;

/** One question as data: its name and what it asks with. */
export type Question<Name extends QuestionName = QuestionName> = { name: Name } & Questions[Name]['asked'];

/** Any of the questions; its `name` tells which. */
export type AnyQuestion = { [Name in QuestionName]: Question<Name> }[QuestionName];

/** Where answers come from: an engine over a store, a back end, a file. */
export interface ConversationSource {
  readonly kind: SourceKind;
  /** Address or path, as a person would write it. */
  readonly location: string;
  /**
   * Answers one question.
   * @throws `SourceError` when the back end cannot be reached or does not answer as it should.
   */
  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  /** Releases files and connections. Asking afterwards is a mistake of the caller. */
  close(): Promise<void>;
}

/** An engine is one function a question; one without an answer to some question does not compile. */
export type Engine<Store> = {
  readonly [Name in QuestionName]: (
    store: Store,
    asked: Questions[Name]['asked'],
  ) => Answer<Questions[Name]['answer']> | Promise<Answer<Questions[Name]['answer']>>;
};

/** Puts `question` to `engine` over `store`. */
export async function askEngine<Store, Name extends QuestionName>(
  engine: Engine<Store>,
  store: Store,
  question: Question<Name>,
): Promise<Answer<Questions[Name]['answer']>> {
  return engine[question.name](store, question);
}

/** What answers the questions. */
export type SourceKind = 'memory' | 'file' | 'local' | 'serve' | 'jaeger' | 'clickhouse';

/** Asks for one conversation. */
export interface ConversationQuestion {
  conversationId: string;
}

/** The spans of one conversation, in order of start, then span id. */
export interface ConversationSpans {
  spans: SpanRecord[];
  /** Other traces that carry the same conversation id, the newest first. */
  otherTraceIds: string[];
}

/** Asks for conversations that start in the window, as many as `limit`. */
export interface ConversationsQuestion {
  /** Absent: all that there is. */
  window?: Window;
  filters?: ConversationFilters;
  /**
   * `newest`: by start. `longest`: by duration (end − start). `slowest`: by duration, without those that are open.
   * `slowest-response`: by response latency, without those that have none.
   * The largest first; equal ones newest first, then by trace id.
   */
  order: 'newest' | 'longest' | 'slowest' | 'slowest-response';
  limit: number;
  /**
   * Only conversations with more than this many nanoseconds of duration; of response latency, rounded to whole
   * nanoseconds, in order `slowest-response`.
   */
  aboveNano?: bigint | undefined;
}

/**
 * Asks for numbers per step, over the step spans that start in the window. Beyond {@link MAX_STEP_NAMES} names, the rest
 * is one row; not where `step` asks for one.
 */
export interface StepStatisticsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** Only this step; all when absent. A step never seen has no row. */
  step?: string;
  /** Probabilities between 0 and 1 whose quantiles `quantilesMs` is to hold. */
  quantiles?: readonly number[];
  /** False: `timings` stays empty, which saves a look at every span. @defaultValue `true` */
  timings?: boolean;
  /** True: `firstOutput` is there too, which takes a look at every span. @defaultValue `false` */
  firstOutput?: boolean;
  /** One row a group and step. Absent: one row a step. */
  groupBy?: GroupBy | undefined;
}

/**
 * Numbers of one step. *Counted* spans are the completed ones shorter than 60 s. Rows come by group, then in step order.
 * Whether a span was retried is judged over all groups.
 */
export interface StepStatistics {
  /** With `groupBy`. */
  group?: string;
  step: string;
  /** All its spans; `total` = completed + failures + interrupted. */
  total: number;
  completed: number;
  /** Spans that `failed`, `timed_out` or were `abandoned`. */
  failures: number;
  /** Spans that were retried, whatever became of the retry. */
  retried: number;
  /** Failures that were not retried. */
  finalFailures: number;
  /** Counted spans. */
  count: number;
  /** Of the counted spans; absent where there is none. */
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  /** Sum over the counted spans that are outermost. */
  outermostMs: number;
  /** `count` + `tooLong` + `notCompleted` = `total`. */
  leftOut: { tooLong: number; notCompleted: number };
  /** Mean in ms of each named part, over the counted spans that have it, keys in order; empty where they were not asked for. */
  timings: Record<string, number>;
  /** For each probability asked for, by linear interpolation at index (n−1)·q; empty where nothing is counted. */
  quantilesMs: number[];
  /** How long counted spans took to their first output; absent where none says so, or where it was not asked for. */
  firstOutput?: FirstOutputStatistics;
}

/** Numbers of the time to first output of one step, over the counted spans that have it. */
export interface FirstOutputStatistics {
  count: number;
  averageMs: number;
  /** Like {@link StepStatistics.quantilesMs}. */
  quantilesMs: number[];
}

/** Asks how many conversations start in each hour. */
export interface ConversationCountsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** `hour`: each clock hour of the zone; `hourOfDay`: 0 to 23, whatever the day. */
  by: 'hour' | 'hourOfDay';
  /** IANA name, such as `Asia/Kolkata`. */
  timeZone: string;
}

/** Conversations in one hour; hours without one have no row. Oldest (or lowest) first. */
export interface ConversationCount {
  /** The instant at which the hour begins; with `by: 'hour'`. */
  hourUnixNano?: bigint;
  /** 0 to 23; with `by: 'hourOfDay'`. */
  hourOfDay?: number;
  conversations: number;
}

/** Asks how long users waited for an answer in the conversations that start in the window. */
export interface ResponseStatisticsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** Probabilities between 0 and 1 whose quantiles `quantilesMs` is to hold. */
  quantiles?: readonly number[];
  /** One row a group. */
  groupBy?: GroupBy | undefined;
}

/**
 * Numbers of the response latency, over the conversations that have one. Without `groupBy`, always one row,
 * even where there is no conversation; with it, one row for each group in which a conversation has a latency.
 */
export interface ResponseStatistics {
  /** With `groupBy`. */
  group?: string;
  conversations: number;
  /** Absent where there is none. */
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  /** Like {@link StepStatistics.quantilesMs}; empty where there is no conversation. */
  quantilesMs: number[];
}

/** Asks for the most frequent failures of steps that start in the window. */
export interface CommonErrorsQuestion {
  window: Window;
  filters?: ConversationFilters;
  limit: number;
}

/**
 * Failures with the same step, type and pattern of message; the most frequent first, then the latest, then step, type,
 * pattern (texts by code point, an absent one behind the others).
 */
export interface CommonError {
  step: string;
  errorType?: string;
  /** The message with what differs from one failure to the next replaced by `…`; absent where there is no message. */
  pattern?: string;
  /** The message of the latest failure; where several started at once, of the one first by trace id, then by message. */
  message?: string;
  count: number;
  /** Latest start of such a step. */
  lastSeenUnixNano: bigint;
  /** The conversation of that step. */
  conversationId: string;
}

/**
 * Asks for one row a conversation with a step in the window or a start in it. Of all steps of those conversations beyond
 * {@link MAX_STEP_NAMES} names, the rest is one column.
 */
export interface StepDurationsQuestion {
  window: Window;
  filters?: ConversationFilters;
  /** One column a group and step, and `groupMasks`. */
  groupBy?: GroupBy | undefined;
  /** True: columns have `traits` too, which takes a look at more of every span. @defaultValue `false` */
  traits?: boolean;
}

/**
 * One row a conversation, one column a step, for statistics. All arrays have `traceIds.length` elements; rows are in
 * order of start, then trace id.
 */
export interface StepDurations {
  traceIds: string[];
  /** Start of the conversation, Unix nanoseconds. */
  startTimesUnixNano: BigInt64Array;
  /** 1 where the conversation starts in the window, else 0. */
  startsInWindow: Uint8Array;
  outcomes: ConversationOutcome[];
  /** End − start in ms, wherever its steps start. */
  durationMs: Float64Array;
  /** Sum of its outermost steps in ms, wherever they start. */
  stepSumMs: Float64Array;
  /** Response latency in ms; NaN where the conversation has none. */
  responseMs: Float64Array;
  /**
   * With `groupBy`: the groups that a conversation is in, bit i for the group at place i of `values`, the next two for
   * `(other)` and `(none)`.
   */
  groupMasks?: Uint32Array;
  /** By group, then in step order. */
  steps: StepColumn[];
}

/** Asks which values an attribute has on the steps that start in the window; see {@link GroupBy}. */
export interface AttributeValuesQuestion {
  window: Window;
  filters?: ConversationFilters;
  attribute: string;
  /** Only on this step. */
  step?: string;
  limit: number;
}

/** A value, and how many steps have it; the most frequent first, then by code point. Steps without one are in no row. */
export interface AttributeCount {
  value: string;
  spans: number;
}

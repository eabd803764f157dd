import { EARLIEST_UNIX_NANO, LATEST_UNIX_NANO } from '../../model/conversation.ts';
import type { Window } from '../../model/conversation.ts';
import type { GroupBy, StepColumn } from '../../model/groups.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { StepDurations } from '../../questions.ts';

/**
 * The statements of a dialect, one SQL file each. All read `readable_spans`, or the dialect's name for the spans that
 * pass the question's filters, and define a total order of their rows unless noted. Each file documents its parameters.
 */
export type StatementName =
  | SpanStatementName
  /** Traces with `$conversation_id` whose id is not derived from it: `trace_id`. */
  | 'conversation-carriers'
  /** The ids of the conversations `$trace_ids`: `trace_id`, `own_id` (null if no span has one). */
  | 'conversation-ids'
  /** The conversations among `$trace_ids`, newest first: `trace_id`. */
  | 'conversations-newest-first'
  /** The `$row_limit` newest conversations of the window that last longer than `$above_ns`: `trace_id`. */
  | 'newest-conversations'
  /** The `$row_limit` largest of the window, by `$size_order`: `trace_id` (null if there is none), `seen`. */
  | 'largest-conversations'
  /** By quarter hour of UTC: `quarter_hour` (null: starts elsewhere), `conversations`, `seen`. */
  | 'conversation-counts'
  /**
   * One row per group of conversations with a latency: `group_id`, `conversations`, `average_s`, `min_s`, `max_s`,
   * `quantiles_s`. A conversation is in the group `$no_group` only if it is in no other one.
   */
  | 'response-statistics'
  /** `step`, `group_id`, `total`, `completed`, `failures`, `counted`, `average_ns`, `min_ns`, `max_ns`, `outermost_ns`. */
  | 'step-statistics'
  /** `step`, `group_id`, `quantiles_ns`: a list, in the order of `$probabilities`. */
  | 'step-quantiles'
  /** `step`, `group_id`, `part`, `average_s`. */
  | 'step-timings'
  /** `step`, `group_id`, `retried`, `retried_failures`. */
  | 'step-retries'
  /** `step`, `group_id`, `counted`, `average_s`, `quantiles_s`. */
  | 'step-first-outputs'
  /** The `$row_limit` most frequent values on steps of the window, or on `$step` alone: `value`, `spans`. */
  | 'attribute-values'
  /** The `$row_limit` newest conversations of the window: `trace_id`, `step` (null for a root), `offset_ns`. */
  | 'newest-first-starts'
  /**
   * The `$row_limit` most frequent, by patterns of `$rule_1` to `$rule_6`: `step`, `error_type`, `pattern`,
   * `error_message`, `failures`, `last_seen_ns`, `trace_id`.
   */
  | 'common-errors'
  /**
   * First the conversations without a session, then the `$row_limit` newest sessions: `session_id`, `conversations`,
   * `first_ns`, `last_start_ns`, `last_ns`, `spoken_ns`, `failures`, `interruptions`, `input_tokens`, `output_tokens`,
   * and on each row `all_conversations`.
   */
  | 'sessions'
  /**
   * `quarter_hour`, `workflow` or `session_id`, as `$by` says, and null otherwise; `step`, `model`, `calls`,
   * `input_tokens`, `output_tokens`, `input_chars`, `audio_s`. See `UsageSum`.
   */
  | 'model-usage'
  /** `spans`, `oldest_ns`, `newest_ns` of the window; the times are null if it is empty. */
  | 'extent'
  /** Like `extent`, but may include duplicates and ignore filters. */
  | 'rough-extent'
  /** `conversations` of the window. */
  | 'coverage'
  /** The most frequent of each `kind` (`service`, `name`) in the window: `kind`, `text`, `spans`. */
  | 'unrecognised-spans'
  /** `service_name`, `sampling_ratio` of programs with a sampling ratio on spans of the window. */
  | 'sampled-programs';

/** The statements whose rows are spans. */
export type SpanStatementName =
  /** All spans of `$trace_id` with all fields, by start, then span id. */
  | 'conversation-spans'
  /** All spans of `$trace_ids` with the fields for statistics and coverage, by trace, start, span id. */
  | 'conversation-numbers';

/** The value of a parameter. Trace ids are in the form of {@link RowReaders.traceKey}. */
export type SqlValue = null | boolean | number | bigint | string | readonly (number | bigint | string)[];

/** A row by column name. Lists are arrays; nanoseconds are bigints; counts are numbers or bigints. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A trace id as the database represents it; can be compared with `===`. */
export type TraceKey = bigint | string;

/** Converts the trace ids of a dialect. */
export interface RowReaders {
  traceKey(traceId: string): TraceKey;
  traceId(key: TraceKey): string;
}

/** The step names that are kept, and the number of those that are replaced by `(other)`. */
export interface FoldedNames {
  kept: ReadonlySet<string>;
  folded: number;
}

/** What `step-durations` asks a database for; see its question. */
export interface StepDurationsAsked {
  window: Window;
  groupBy: GroupBy | undefined;
  traits: boolean;
  steps: boolean;
}

/** The answer to `step-durations`, with columns that are not in order yet. */
export interface DurationsTable {
  conversations: Omit<StepDurations, 'steps'>;
  /** The step names of its columns, each once. */
  steps: readonly string[];
  /** The columns by group, then in the order of `steps`, which holds all of them. */
  columns(steps: readonly string[]): StepColumn[];
}

/** A database for one question: named statements that all read the same snapshot. */
export interface SqlStore {
  readonly readers: RowReaders;
  /** Whether the question has filters, so that the statements see only some of the spans. */
  readonly isFiltered: boolean;
  /** Searching so many spans takes hardly longer than searching fewer. */
  readonly spansSearchedEasily: number;
  /**
   * A time since which at least `count` spans of a window start, and not many more; undefined if it has fewer. Only for
   * databases that find it without reading every start, and for questions without filters; else the spans are taken for
   * evenly distributed in time.
   */
  startOfNewest?(window: Window | undefined, count: number): Promise<bigint | undefined>;
  /**
   * If more than `maxNames` step names occur, makes all further statements replace all but the most frequent ones by
   * `other`; returns undefined if not. A step that is already named `other` is not kept. Names are ordered by the
   * number of steps that start in the window, then by code point; `wholeConversations` adds, after them, names that
   * occur only outside the window in the same conversations.
   */
  foldStepNames(asked: {
    window: Window;
    maxNames: number;
    other: string;
    wholeConversations: boolean;
  }): Promise<FoldedNames | undefined>;
  /**
   * Adds `attribute_value` and `group_id` to the steps and roots of the conversations in the window, for all further
   * statements. Before that, `group_id` is 0 for all spans.
   */
  groupSpans(asked: { window: Window; groupBy: GroupBy }): Promise<void>;
  /** The rows that a statement selects. */
  rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
  /** Maps each row with `read`, which must not keep the row, so that large results do not fill the memory. */
  rows<Item>(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => Item,
  ): Promise<Item[]>;
  /** The spans that a statement selects. */
  spans(name: SpanStatementName, values: Readonly<Record<string, SqlValue>>): Promise<SpanRecord[]>;
  /** The table that `step-durations` asks for, of the spans as they are grouped and folded. */
  stepDurations(asked: StepDurationsAsked): Promise<DurationsTable>;
}

/** The parameters `$since_ns` and `$until_ns` of a window; without a window, they include everything. */
export function windowValues(window: Window | undefined): { since_ns: bigint; until_ns: bigint } {
  return {
    since_ns: window === undefined ? EARLIEST_UNIX_NANO : clamped(window.sinceUnixNano),
    until_ns: window === undefined ? LATEST_UNIX_NANO : clamped(window.untilUnixNano),
  };
}

function clamped(unixNano: bigint): bigint {
  if (unixNano < EARLIEST_UNIX_NANO) return EARLIEST_UNIX_NANO;
  return unixNano > LATEST_UNIX_NANO ? LATEST_UNIX_NANO : unixNano;
}

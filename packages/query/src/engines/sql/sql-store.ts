import { EARLIEST_UNIX_NANO, LATEST_UNIX_NANO } from '../../model/conversation.ts';
import type { Window } from '../../model/conversation.ts';
import type { GroupBy } from '../../model/groups.ts';
import type { SpanRecord } from '../../model/span-record.ts';

/**
 * The statements of a dialect, one SQL file each. All read `readable_spans`, or whatever the dialect calls the spans that
 * the filters of a question leave, and order their rows totally. Each file says what its parameters are.
 */
export type StatementName =
  /** Trace ids that carry `$conversation_id` though they do not follow from it: `trace_id`. */
  | 'conversation-carriers'
  /** The conversations among `$trace_ids`, the newest first: `trace_id`. */
  | 'conversations-newest-first'
  /** All spans of `$trace_id`, whole, by start, then span id. */
  | 'conversation-spans'
  /** All spans of `$trace_ids`, with the fields that numbers and coverage need, by trace, start, span id. */
  | 'conversation-numbers'
  /** The `$row_limit` newest conversations of the window that last longer than `$above_ns`: `trace_id`. */
  | 'newest-conversations'
  /** The `$row_limit` largest of the window, by `$size_order`: `trace_id` (null where none fits), `seen`. */
  | 'largest-conversations'
  /** By quarter hour of UTC: `quarter_hour` (null: starts elsewhere), `conversations`, `seen`. */
  | 'conversation-counts'
  /**
   * One row a group of conversations with a latency: `group_id`, `conversations`, `average_s`, `min_s`, `max_s`,
   * `quantiles_s`. A conversation is in the group `$no_group` only where it is in no other one.
   */
  | 'response-statistics'
  /** Oldest first: `trace_id`, `first_ns`, `starts_within`, `outcome`, `duration_ms`, `step_sum_ms`, `response_ms`, `group_mask`. */
  | 'conversation-durations'
  /** `trace_id`, `step`, `group_id`, `counted_ms`, `counted`, `completed_ms`, `first_ns`; with `$traits` also `model`, `retries`, `input_chars`. */
  | 'step-durations'
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
  /** `spans`, `oldest_ns`, `newest_ns` of the window; the times are null where it is empty. */
  | 'extent'
  /** Like `extent`, but copies of a span may count too, and filters need not. */
  | 'rough-extent'
  /** `conversations` of the window. */
  | 'coverage'
  /** The most frequent of each `kind` (`service`, `name`) in the window: `kind`, `text`, `spans`. */
  | 'unrecognised-spans'
  /** `service_name`, `sampling_ratio` of programs that say a ratio on spans of the window. */
  | 'sampled-programs';

/** The value of a parameter. Trace ids are given as {@link RowReaders.traceKey} makes them. */
export type SqlValue = null | boolean | number | bigint | string | readonly (number | bigint | string)[];

/** A row by column name. Lists are arrays; nanoseconds are bigints; counts are numbers or bigints. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A trace id as the database keeps it: equal ids are equal by `===`. */
export type TraceKey = bigint | string;

/** How a dialect's rows become what answers hold. */
export interface RowReaders {
  traceKey(traceId: string): TraceKey;
  traceId(key: TraceKey): string;
  /** The span in a row of `conversation-spans` or `conversation-numbers`. */
  span(row: SqlRow): SpanRecord;
}

/** Which step names the statements tell apart, and how many others they call `(other)`. */
export interface FoldedNames {
  kept: ReadonlySet<string>;
  folded: number;
}

/** A database as the questions see it: named statements, all answered from one snapshot. */
export interface SqlStore {
  readonly readers: RowReaders;
  /** Whether the question has filters, so that the statements see only some of the spans. */
  readonly isFiltered: boolean;
  /**
   * Where more than `maxNames` step names occur, makes the statements that follow call all but the most frequent `other`,
   * with one number; undefined where there are not more. What is called `other` already is no name, and is among them.
   * Counted are the steps that start in the window, then by code point; `wholeConversations` adds the names that only
   * occur elsewhere in the conversations of those.
   */
  foldStepNames(asked: {
    window: Window;
    maxNames: number;
    other: string;
    wholeConversations: boolean;
  }): Promise<FoldedNames | undefined>;
  /**
   * Makes the statements that follow see the value and the number of the group of each step and root in the conversations
   * with one in the window: `attribute_value`, `group_id`. Until then the number is 0 throughout.
   */
  groupSpans(asked: { window: Window; groupBy: GroupBy }): Promise<void>;
  /** The rows that a statement selects. */
  rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
  /** What `read` makes of each row, which it must not keep: of a hundred thousand rows only what is needed stays. */
  rows<Item>(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => Item,
  ): Promise<Item[]>;
  /** The same as arrays by column name: an object a row would take several times as long. */
  columns(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
  ): Promise<Readonly<Record<string, readonly unknown[]>>>;
}

/** The parameters `$since_ns` and `$until_ns` of a window; without one, everything is in it. */
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

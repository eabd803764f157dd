/** How many spans were delivered so far. Includes spans left by earlier runs of the service. */
export interface DeliveryReport {
  /** Spans that a back end has accepted. */
  deliveredSpans: number;
  /** Finished spans that are not known to be delivered: still waiting, refused, or dropped because a limit was reached. */
  undeliveredSpans: number;
  /** Why the last delivery failed; absent if it succeeded or there was none. */
  problem?: string;
}

/**
 * Span counts of this process. At any time, `finishedSpans + inheritedSpans = deliveredSpans + waitingSpans + dropped`.
 */
export interface TelemetryReport extends DeliveryReport {
  /** Spans that ended in this process. */
  finishedSpans: number;
  /** Spans taken over from an earlier run of this service. */
  inheritedSpans: number;
  /** Spans that are stored and will be sent, by this process or the next start of the service. */
  waitingSpans: number;
  /**
   * Number of lost spans by reason: `journal_full`, `memory_full`, `refused` and `rejected` (by the back end),
   * `too_large`, `unsendable` (invalid trace or span id), `damaged` (unreadable journal records), `stopped` (unsent at
   * shutdown without a journal), `internal_error`.
   */
  droppedSpans: Readonly<Record<string, number>>;
  /**
   * Half-written records of dead processes, at most one per process. These are not lost spans: the call that started or
   * ended the step had not returned.
   */
  tornRecords: number;
}

/** How long `flush` and `shutdown` may take. */
export interface DeadlineOptions {
  /** In milliseconds. @defaultValue `5000` */
  deadlineMs?: number | undefined;
}

/** The running setup of a program; `await using` shuts it down at the end of its block. */
export interface Tracing extends AsyncDisposable {
  /**
   * `own`: convotel's provider, registered globally. `private`: convotel's provider, not registered. `joined`: the
   * provider that the program had registered, never shut down by convotel. `disabled`: `OTEL_SDK_DISABLED` is set;
   * nothing is traced.
   */
  readonly kind: 'own' | 'private' | 'joined' | 'disabled';
  /**
   * Sends waiting spans. Resolves when they are sent or at the deadline; after a failed attempt, immediately until the
   * next one is due. Never rejects. In a joined setup nothing is counted: both numbers are 0.
   */
  flush(options?: DeadlineOptions): Promise<DeliveryReport>;
  /**
   * Ends open spans as `abandoned`, sends waiting spans, closes every connection and stops tracing. Resolves by the
   * deadline; never rejects. Unsent spans stay in the journal for the next start. A joined provider is flushed and keeps
   * running.
   */
  shutdown(options?: DeadlineOptions): Promise<DeliveryReport>;
  /** Returns the span counts so far. In a joined setup nothing is counted. */
  report(): TelemetryReport;
}

/** @see DeadlineOptions.deadlineMs */
export const DEFAULT_DEADLINE_MS = 5000;

/** The report of a setup that delivers nothing itself. */
export function emptyReport(): TelemetryReport {
  return {
    deliveredSpans: 0,
    undeliveredSpans: 0,
    finishedSpans: 0,
    inheritedSpans: 0,
    waitingSpans: 0,
    droppedSpans: {},
    tornRecords: 0,
  };
}

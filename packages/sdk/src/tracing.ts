/** What became of spans, at one moment. Counts spans of earlier runs that were taken over, too. */
export interface DeliveryReport {
  /** Spans that a back end has accepted. */
  deliveredSpans: number;
  /** Finished spans that are not known to be delivered: still waiting, refused, or dropped for want of room. */
  undeliveredSpans: number;
  /** Why the newest failed delivery failed; absent when none has failed since the last that worked. */
  problem?: string;
}

/** The books of this process: `finishedSpans + inheritedSpans = deliveredSpans + waitingSpans + dropped`, at any time. */
export interface TelemetryReport extends DeliveryReport {
  /** Spans that ended in this process. */
  finishedSpans: number;
  /** Spans that an earlier run of this service had left behind. */
  inheritedSpans: number;
  /** Spans that are kept and will be sent, by this process or the next start of the service. */
  waitingSpans: number;
  /**
   * Spans that were given up, by reason: `journal_full`, `memory_full`, `refused` and `rejected` (by the back end),
   * `too_large`, `unsendable` (ids that are not ids), `damaged` (records that could not be read any more), `stopped`
   * (no journal at shutdown), `internal_error`.
   */
  droppedSpans: Readonly<Record<string, number>>;
  /**
   * Records that dead processes had begun to write and not finished, at most one a process. Not lost spans: the end of a
   * step, or its start, had not returned.
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
   * `own`: made here. `private`: made here, beside what the program registers. `joined`: the program had registered a provider before, which is used and left to its owner.
   * `disabled`: by `OTEL_SDK_DISABLED`; nothing is traced.
   */
  readonly kind: 'own' | 'private' | 'joined' | 'disabled';
  /**
   * Sends what waits, and resolves when that is done or the deadline has come, with what is known to be delivered.
   * After a failed attempt it resolves at once until the next one is due. Never rejects. Of a joined setup nothing is
   * counted: both numbers are 0.
   */
  flush(options?: DeadlineOptions): Promise<DeliveryReport>;
  /**
   * Ends what is open as `abandoned`, sends what waits, then stops tracing: resolves by the deadline, lets go of every
   * connection, never rejects. What is not sent stays in the journal for the next start.
   * A joined setup is flushed and left running.
   */
  shutdown(options?: DeadlineOptions): Promise<DeliveryReport>;
  /** What has become of spans until now. Of a joined setup nothing is counted. */
  report(): TelemetryReport;
}

/** @see DeadlineOptions.deadlineMs */
export const DEFAULT_DEADLINE_MS = 5000;

/** The books of a setup that delivers nothing itself. */
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

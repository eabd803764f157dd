/** What has become of spans so far. Includes spans taken over from earlier runs. */
export interface DeliveryReport {
  /** Spans that a back end has accepted. */
  deliveredSpans: number;
  /** Finished spans that are not known to be delivered: still waiting, refused, or dropped for want of room. */
  undeliveredSpans: number;
  /** Why the last failed delivery failed; absent when a later one succeeded, or none has failed. */
  problem?: string;
}

/**
 * The balance of this process: `finishedSpans + inheritedSpans = deliveredSpans + waitingSpans + dropped`, at any time.
 */
export interface TelemetryReport extends DeliveryReport {
  /** Spans that ended in this process. */
  finishedSpans: number;
  /** Spans taken over from an earlier run of this service. */
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
   * `own`: made here. `private`: made here, beside what the program registers. `joined`: the program had already
   * registered a provider, which is used and never shut down. `disabled`: by `OTEL_SDK_DISABLED`; nothing is traced.
   */
  readonly kind: 'own' | 'private' | 'joined' | 'disabled';
  /**
   * Sends waiting spans, and resolves when that is done or at the deadline, with what is known to be delivered. After a
   * failed attempt it resolves at once until the next one is due. Never rejects. In a joined setup nothing is counted:
   * both numbers are 0.
   */
  flush(options?: DeadlineOptions): Promise<DeliveryReport>;
  /**
   * Ends open spans as `abandoned`, sends waiting ones, then stops tracing: resolves by the deadline, closes every
   * connection, never rejects. Unsent spans stay in the journal for the next start. A joined setup is flushed and left
   * running.
   */
  shutdown(options?: DeadlineOptions): Promise<DeliveryReport>;
  /** What has become of spans so far. In a joined setup nothing is counted. */
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

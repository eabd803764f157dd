import type { DeliveryReport } from './delivery/delivery.ts';

/** How long `flush` and `shutdown` may take. */
export interface DeadlineOptions {
  /** In milliseconds. @defaultValue `5000` */
  deadlineMs?: number;
}

/** The running setup of a program. */
export interface Tracing {
  /**
   * `own`: made here. `joined`: the program had registered a provider before, which is used and left to its owner.
   * `disabled`: by `OTEL_SDK_DISABLED`; nothing is traced.
   */
  readonly kind: 'own' | 'joined' | 'disabled';
  /**
   * Sends what waits, and resolves when that is done or the deadline has come, with what is known to be delivered.
   * Never rejects. Of a joined setup nothing is counted: both numbers are 0.
   */
  flush(options?: DeadlineOptions): Promise<DeliveryReport>;
  /**
   * Sends what waits, then stops tracing: resolves by the deadline, lets go of every connection, never rejects.
   * A joined setup is flushed and left running.
   */
  shutdown(options?: DeadlineOptions): Promise<DeliveryReport>;
}

/** @see DeadlineOptions.deadlineMs */
export const DEFAULT_DEADLINE_MS = 5000;

import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** What became of the finished spans of this process, at one moment. */
export interface DeliveryReport {
  /** Spans that a back end has accepted. */
  deliveredSpans: number;
  /** Finished spans that are not known to be delivered: still waiting, refused, or dropped for want of room. */
  undeliveredSpans: number;
  /** Why the newest failed delivery failed; absent when none has failed since the last that worked. */
  problem?: string;
}

/** Finished spans in, delivered out. How they wait and travel is up to the implementation. */
export interface Delivery {
  /** Takes a finished, sampled span. Neither throws nor waits. */
  take(span: ReadableSpan): void;
  /** Resolves when everything taken before is delivered or given up. Never rejects, and may take long. */
  flush(): Promise<void>;
  /** Gives up at once: lets go of connections and timers, takes nothing more. */
  stop(): void;
  report(): DeliveryReport;
}

/** For a process whose spans are delivered by nobody, or by somebody else. */
export const NO_DELIVERY: Delivery = {
  take() {},
  async flush() {},
  stop() {},
  report: () => ({ deliveredSpans: 0, undeliveredSpans: 0 }),
};

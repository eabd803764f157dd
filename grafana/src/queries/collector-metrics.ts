/** What the collector says of itself (its documentation.md files of receiverhelper, exporterhelper and service). */
export const COLLECTOR_METRIC = {
  /** Counter. */
  acceptedSpans: 'otelcol_receiver_accepted_spans',
  /** Counter: spans sent back to the program, which may try again. */
  refusedSpans: 'otelcol_receiver_refused_spans',
  /** Counter: spans lost inside the receiver. */
  failedSpans: 'otelcol_receiver_failed_spans',
  /** Counter. */
  sentSpans: 'otelcol_exporter_sent_spans',
  /** Counter: spans given up on, after all attempts. */
  sendFailedSpans: 'otelcol_exporter_send_failed_spans',
  /** Counter: spans that found the queue full. */
  enqueueFailedSpans: 'otelcol_exporter_enqueue_failed_spans',
  /** Gauge, in the unit of the queue's `sizer`. */
  queueSize: 'otelcol_exporter_queue_size',
  /** Gauge, in the unit of the queue's `sizer`. */
  queueCapacity: 'otelcol_exporter_queue_capacity',
  /** Gauge, bytes. */
  residentMemory: 'otelcol_process_memory_rss',
} as const;

/** What the recording rules of `stack/prometheus/rules/` keep. */
export const RECORDED_METRIC = {
  /** Gauge: when spans last reached the collector, seconds since 1970. */
  spansLastReceived: 'convotel:spans_last_received:timestamp_seconds',
} as const;

/** Labels of {@link COLLECTOR_METRIC}. */
export const COLLECTOR_LABEL = { receiver: 'receiver', transport: 'transport', exporter: 'exporter' } as const;

const BY_RECEIVER = `${COLLECTOR_LABEL.receiver}, ${COLLECTOR_LABEL.transport}`;

/** Spans per second that the collector took in, by receiver and transport. */
export function acceptedSpans(): string {
  return rateBy(BY_RECEIVER, COLLECTOR_METRIC.acceptedSpans);
}

/** Spans per second that the collector sent back or lost at its door, by receiver and transport. */
export function refusedSpans(): string {
  const refused = rateBy(BY_RECEIVER, COLLECTOR_METRIC.refusedSpans);
  return `${refused} + (${rateBy(BY_RECEIVER, COLLECTOR_METRIC.failedSpans)} or 0 * ${refused})`;
}

/** Spans per second that left the collector, by exporter. */
export function sentSpans(): string {
  return rateBy(COLLECTOR_LABEL.exporter, COLLECTOR_METRIC.sentSpans);
}

/** Spans per second that the collector lost on their way out, by exporter; 0 where it never lost any. */
export function lostSpans(): string {
  const { enqueueFailedSpans, queueSize, sendFailedSpans } = COLLECTOR_METRIC;
  const exporter = COLLECTOR_LABEL.exporter;
  // A counter of failures begins with the first one; the size of a queue is there from the start.
  const none = `0 * max by (${exporter}) (${queueSize})`;
  return `(${rateBy(exporter, sendFailedSpans)} or ${none}) + (${rateBy(exporter, enqueueFailedSpans)} or ${none})`;
}

/** How full each exporter's queue is, 0 to 1. */
export function queueFill(): string {
  const { queueCapacity, queueSize } = COLLECTOR_METRIC;
  return `max by (${COLLECTOR_LABEL.exporter}) (${queueSize} / ${queueCapacity})`;
}

/** Seconds since spans last reached the collector; without a value where none did within the time range. */
export function newestSpanAge(): string {
  return `time() - last_over_time(${RECORDED_METRIC.spansLastReceived}[$__range])`;
}

/** Resident memory of each collector, bytes. */
export function residentMemory(): string {
  return `max by (instance) (${COLLECTOR_METRIC.residentMemory})`;
}

/** Which parts of the stack Prometheus can reach: 1, else 0. */
export function reachableParts(): string {
  return 'min by (job) (up)';
}

function rateBy(labels: string, metric: string): string {
  return `sum by (${labels}) (rate(${metric}[$__rate_interval]))`;
}

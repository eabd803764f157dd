import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Delivery } from '../delivery/delivery.ts';
import type { Transport } from '../delivery/delivery.ts';
import { DeliveryProcessor } from '../delivery/delivery-processor.ts';
import { addressForPeople } from '../delivery/describe-failure.ts';
import { HttpTransport } from '../delivery/http-transport.ts';
import { OutageWarning } from '../delivery/outage-warning.ts';
import { ENCODED_JSON, JsonSpanEncoder } from '../encoding/json.ts';
import { ENCODED_PROTOBUF, ProtobufSpanEncoder } from '../encoding/protobuf.ts';
import { SpanCounts } from '../journal/span-counts.ts';
import { Redactor } from '../redaction/redactor.ts';
import type { Environment } from '../settings/environment.ts';
import { otlpTarget } from '../delivery/otlp-target.ts';
import type { CaptureContent, TracingOptions } from '../settings/tracing-options.ts';
import type { TelemetryReport } from '../tracing.ts';
import { journalOf } from './journal-of.ts';
import { onRelease } from './process-end.ts';

/** Finished spans in, delivered out. */
export interface SpanDelivery {
  processor: SpanProcessor;
  flush(deadlineMs: number): Promise<void>;
  /** The same for the last time, with what worker threads have left. */
  flushAll(deadlineMs: number): Promise<void>;
  stop(): void;
  report(): TelemetryReport;
}

/** Puts redaction, encoding, journal and transport together. */
export function startSpanDelivery(
  options: TracingOptions,
  environment: Environment,
  serviceName: string,
  warn: (message: string) => void,
): SpanDelivery {
  const target = otlpTarget('TRACES', options, environment.variables);
  const counts = new SpanCounts(lossWarning(warn));
  const redactor = new Redactor({
    captureContent: captureContentOf(options, environment),
    otherContent: options.otherContent ?? 'drop',
    errorMessages: options.errorMessages ?? 'redacted',
    redact: options.redact,
    warn,
  });
  const encoder = target?.encoding === 'protobuf' ? new ProtobufSpanEncoder(redactor) : new JsonSpanEncoder(redactor);
  const journal = journalOf(options, environment, serviceName, { encoder, counts, warn });
  const { contentType } = encoder.encoding === 'json' ? ENCODED_JSON : ENCODED_PROTOBUF;
  const meanwhile = (): string =>
    journal.outlivesProcess
      ? 'finished spans are kept on the disk and sent when it works again, also by the next start'
      : 'finished spans are kept in memory and sent when it works again, but are lost when the program ends before';
  const outage = new OutageWarning(
    'spans',
    target === undefined ? 'no address' : addressForPeople(target.url),
    meanwhile,
    // Where there is no address, that was said when the settings were read.
    target === undefined ? () => {} : warn,
  );
  const delivery = new Delivery({
    journal,
    outage,
    warn,
    transport: target === undefined ? NOWHERE : new HttpTransport(target, contentType),
    scheduleDelayMs: environment.scheduleDelayMs,
    requestTimeoutMs: target?.timeoutMs ?? 0,
  });
  const stopHearing = onRelease((span) => journal.released(span as ReadableSpan));
  let isStopped = false;
  return {
    processor: new DeliveryProcessor(journal, delivery, counts),
    flush: (deadlineMs) => delivery.flush(deadlineMs),
    flushAll: (deadlineMs) => {
      journal.adoptAgain();
      return delivery.flush(deadlineMs);
    },
    stop: () => {
      if (isStopped) return;
      isStopped = true;
      stopHearing();
      delivery.stop();
      journal.close();
    },
    report: () => {
      const { waitingSpans } = journal;
      const { problem } = outage;
      const { finishedSpans, inheritedSpans, deliveredSpans, droppedSpans, allDroppedSpans, tornRecords } = counts;
      const undeliveredSpans = waitingSpans + allDroppedSpans;
      const books = { finishedSpans, inheritedSpans, deliveredSpans, waitingSpans, droppedSpans: { ...droppedSpans } };
      return { ...books, undeliveredSpans, tornRecords, ...(problem !== undefined && { problem }) };
    },
  };
}

/** Content may leave only where the options or the environment say so. */
export function captureContentOf({ captureContent }: TracingOptions, environment: Environment): CaptureContent {
  if (captureContent === undefined) return environment.captureContent ?? 'none';
  if (typeof captureContent === 'boolean') return captureContent ? 'full' : 'none';
  return captureContent;
}

/** Where an endpoint cannot be used, spans wait for a start with one that can. The reason was told when it was read. */
const NOWHERE: Transport = {
  send: async () => ({
    status: 'retryable',
    error: new Error('the endpoint cannot be used; see the warning at the start'),
  }),
  shutdown() {},
};

const LOSSES: Readonly<Record<string, string>> = {
  journal_full: 'the journal is full. Raise journal.maxBytes, or bring the back end back',
  memory_full: 'too many wait in memory. Bring the back end back, or give the program a journal',
  too_large: 'of the size: larger than what can be sent',
  unsendable: 'of ids that are not valid',
  damaged: 'of records in the journal that are damaged or missing',
  stopped: 'tracing was stopped while they waited in memory, where no journal keeps them',
  internal_error: 'of an error in convotel',
};

/** Says once for each reason that spans were lost, when the first ones are. */
function lossWarning(warn: (message: string) => void): (spans: number, reason: string) => void {
  const said = new Set<string>();
  return (spans, reason) => {
    const because = LOSSES[reason];
    if (because === undefined || said.has(reason)) return;
    said.add(reason);
    warn(
      `convotel: ${spans} finished ${spans === 1 ? 'span was' : 'spans were'} lost because ${because}. ` +
        'Further losses for this reason are only counted: see report() and the metric conversation.telemetry.spans.',
    );
  };
}

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { toUSVString } from 'node:util';
import { ATTRIBUTE, CONVERSATION_SPAN_NAME } from '@convotel/conventions';
import { diag, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Delivery } from '../delivery/delivery.ts';
import type { Transport } from '../delivery/delivery.ts';
import { displayUrl, OutageWarning } from '../delivery/failures.ts';
import { HttpTransport } from '../delivery/http-transport.ts';
import { otlpTarget } from '../delivery/otlp-target.ts';
import { ENCODED_JSON, JsonSpanEncoder } from '../encoding/json.ts';
import { ENCODED_PROTOBUF, ProtobufSpanEncoder } from '../encoding/protobuf.ts';
import type { SpanEncoder } from '../encoding/span-encoder.ts';
import { Journal } from '../journal/journal.ts';
import { SpanCounts } from '../journal/backlog.ts';
import { Redactor } from '../redaction/redactor.ts';
import type { Environment } from '../settings/environment.ts';
import { DEFAULT_JOURNAL_BYTES } from '../settings/tracing-options.ts';
import type { CaptureContent, TracingOptions } from '../settings/tracing-options.ts';
import type { TelemetryReport } from '../tracing.ts';
import { onRelease } from './process-end.ts';

/** Stores and delivers finished spans. */
export interface SpanDelivery {
  processor: SpanProcessor;
  flush(deadlineMs: number): Promise<void>;
  /** Flushes for the last time, including spans left by worker threads. */
  flushAll(deadlineMs: number): Promise<void>;
  stop(): void;
  report(): TelemetryReport;
}

/** Connects redaction, encoding, journal and transport. */
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
    target === undefined ? 'no address' : displayUrl(target.url),
    meanwhile,
    // An invalid address was already reported when the settings were read.
    target === undefined ? () => {} : warn,
  );
  const delivery = new Delivery({
    journal,
    outage,
    warn,
    transport: target === undefined ? NO_ENDPOINT : new HttpTransport(target, contentType),
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

/** Content is exported only if the options or the environment enable it. */
export function captureContentOf({ captureContent }: TracingOptions, environment: Environment): CaptureContent {
  if (captureContent === undefined) return environment.captureContent ?? 'none';
  if (typeof captureContent === 'boolean') return captureContent ? 'full' : 'none';
  return captureContent;
}

/** Used if the endpoint is invalid: spans stay in the journal until the program starts with a valid one. */
const NO_ENDPOINT: Transport = {
  send: async () => ({
    status: 'retryable',
    error: new Error('the endpoint cannot be used; see the warning at the start'),
  }),
  shutdown() {},
};

const LOSS_REASONS: Readonly<Record<string, string>> = {
  journal_full: 'the journal is full. Raise journal.maxBytes, or restart the back end',
  memory_full: 'too many wait in memory. Restart the back end, or enable the journal',
  too_large: 'they are too large to send',
  unsendable: 'their ids are invalid',
  damaged: 'their records in the journal are damaged or missing',
  stopped: 'tracing was stopped while they were waiting in memory, without a journal',
  internal_error: 'of an error in convotel',
};

/** Warns once for each reason, when the first spans are lost. */
function lossWarning(warn: (message: string) => void): (spans: number, reason: string) => void {
  const warned = new Set<string>();
  return (spans, reason) => {
    const because = LOSS_REASONS[reason];
    if (because === undefined || warned.has(reason)) return;
    warned.add(reason);
    warn(
      `convotel: ${spans} finished ${spans === 1 ? 'span was' : 'spans were'} lost because ${because}. ` +
        'Further losses for this reason are only counted: see report() and the metric conversation.telemetry.spans.',
    );
  };
}

/** Passes sampled spans to the journal: steps and conversations when they start, all spans when they end. */
export class DeliveryProcessor implements SpanProcessor {
  readonly #journal: Journal;
  readonly #delivery: Delivery;
  readonly #counts: SpanCounts;

  constructor(journal: Journal, delivery: Delivery, counts: SpanCounts) {
    this.#journal = journal;
    this.#delivery = delivery;
    this.#counts = counts;
  }

  onStart(span: Span): void {
    if (!isSampled(span) || !isOurs(span)) return;
    try {
      this.#journal.started(span);
    } catch (error) {
      // The span is still stored when it ends, but not recovered after a crash.
      diag.debug('convotel: noting the start of a span', error);
    }
  }

  onEnd(span: ReadableSpan): void {
    if (!isSampled(span)) return;
    try {
      this.#journal.ended(span);
      this.#delivery.wake();
    } catch (error) {
      this.#counts.dropped(1, 'internal_error');
      diag.debug('convotel: keeping a span', error);
    }
  }

  /** Has a deadline, because the application may await it. */
  forceFlush(): Promise<void> {
    return this.#delivery.flush(FLUSH_DEADLINE_MS);
  }

  shutdown(): Promise<void> {
    return this.#delivery.flush(FLUSH_DEADLINE_MS);
  }
}

const FLUSH_DEADLINE_MS = 5000;

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Whether the span is a step or conversation, which is closed after a crash. */
function isOurs({ name, attributes }: ReadableSpan): boolean {
  return (
    attributes[ATTRIBUTE.stepName] !== undefined ||
    (name === CONVERSATION_SPAN_NAME && attributes[ATTRIBUTE.conversationId] !== undefined)
  );
}

/** Maximum bytes of spans waiting in memory, without a journal or while the disk fails. */
const MAX_MEMORY_BYTES = 96 * 1024 * 1024;

/** The journal that the options and the environment configure. */
export function journalOf(
  options: TracingOptions,
  environment: Environment,
  serviceName: string,
  parts: { encoder: SpanEncoder; counts: SpanCounts; warn: (message: string) => void },
): Journal {
  const { journal } = options;
  const isOff = journal === false || (journal === undefined && environment.isJournalOff);
  const settings = typeof journal === 'object' ? journal : {};
  return new Journal({
    ...parts,
    serviceName,
    folder: isOff
      ? undefined
      : resolve(settings.folder ?? defaultJournalFolder(environment.stateFolder), folderName(serviceName)),
    maxBytes: settings.maxBytes ?? DEFAULT_JOURNAL_BYTES,
    maxMemoryBytes: MAX_MEMORY_BYTES,
    maxBatchSpans: environment.maxBatchSpans,
    maxQueueSpans: environment.maxQueueSpans,
    sync: settings.sync ?? 'interval',
  });
}

/** Folder of the journals of all services. Relative paths are ignored (XDG Base Directory Specification). */
export function defaultJournalFolder(stateFolder: string | undefined): string {
  const localAppData = process.env['LOCALAPPDATA'];
  const fallback =
    process.platform === 'win32' && localAppData !== undefined ? localAppData : join(homedir(), '.local', 'state');
  return join(stateFolder !== undefined && isAbsolute(stateFolder) ? stateFolder : fallback, 'convotel', 'journal');
}

const MAX_FOLDER_NAME_LENGTH = 80;

/**
 * Encodes a service name as a folder name that is valid on every file system and unique per service. Programs without
 * a service name share one folder, because OpenTelemetry's default name depends on how Node.js was started.
 */
function folderName(serviceName: string): string {
  if (serviceName.startsWith('unknown_service')) return 'unknown_service';
  const name = encodeURIComponent(toUSVString(serviceName)).replaceAll(/[.*'()!~]/g, (character) =>
    character === '.' ? '.' : `%${character.charCodeAt(0).toString(16)}`,
  );
  if (name.length <= MAX_FOLDER_NAME_LENGTH && !/^\.*$/.test(name) && name === name.toLowerCase()) return name;
  const digest = createHash('sha256').update(serviceName).digest('hex').slice(0, 12);
  return `${name.slice(0, MAX_FOLDER_NAME_LENGTH - 13).replace(/^\.+/, '')}-${digest}`;
}

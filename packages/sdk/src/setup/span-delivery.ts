import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { toUSVString } from 'node:util';
import { ATTRIBUTE, CONVERSATION_SPAN_NAME } from '@convotel/conventions';
import { diag, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Delivery } from '../delivery/delivery.ts';
import type { Transport } from '../delivery/delivery.ts';
import { addressForPeople, OutageWarning } from '../delivery/failures.ts';
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

/** Accepts finished spans and delivers them. */
export interface SpanDelivery {
  processor: SpanProcessor;
  flush(deadlineMs: number): Promise<void>;
  /** The same for the last time, including spans left by worker threads. */
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
    // A missing address was reported when the settings were read.
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

/** Content may leave only if the options or the environment say so. */
export function captureContentOf({ captureContent }: TracingOptions, environment: Environment): CaptureContent {
  if (captureContent === undefined) return environment.captureContent ?? 'none';
  if (typeof captureContent === 'boolean') return captureContent ? 'full' : 'none';
  return captureContent;
}

/** With an invalid endpoint, spans wait for a start with a valid one. The reason was reported when it was read. */
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

/** Warns once for each reason, when the first spans are lost. */
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

/** Passes every sampled span to the journal: steps and conversations when they begin, all spans when they end. */
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
      // The span is still kept when it ends; only its recovery after a crash is lost.
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

  /** Bounded, because the owner of the provider waits for it. */
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

/** Whether a span that was left open is worth closing after a crash. */
function isOurs({ name, attributes }: ReadableSpan): boolean {
  return (
    attributes[ATTRIBUTE.stepName] !== undefined ||
    (name === CONVERSATION_SPAN_NAME && attributes[ATTRIBUTE.conversationId] !== undefined)
  );
}

/** Most bytes of spans that wait in memory, without a journal or while its disk fails. */
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

/** The journals of all services. The XDG Base Directory Specification: paths that are not absolute are ignored. */
export function defaultJournalFolder(stateFolder: string | undefined): string {
  const localAppData = process.env['LOCALAPPDATA'];
  const fallback =
    process.platform === 'win32' && localAppData !== undefined ? localAppData : join(homedir(), '.local', 'state');
  return join(stateFolder !== undefined && isAbsolute(stateFolder) ? stateFolder : fallback, 'convotel', 'journal');
}

const MAX_FOLDER_NAME_LENGTH = 80;

/**
 * A service's name as the name of a folder, on every file system. Two services never share one; programs without a name
 * do, because the name that OpenTelemetry gives them depends on how Node was called.
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

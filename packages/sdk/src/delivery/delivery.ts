import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import type { Journal } from '../journal/journal.ts';
import { clearTimer, nowMs, setHoldingTimer, setTimer, soon } from '../settings/timers.ts';
import { Backoff, describeFailure } from './failures.ts';
import type { OutageWarning } from './failures.ts';
import { groupByScope, partialSuccessOf } from './parcel.ts';
import type { Parcel } from './parcel.ts';

/** The part of `IExporterTransport` that delivery uses. */
export interface Transport {
  send(data: Uint8Array, timeoutMs: number, contentType: string): Promise<ExportResponse>;
  shutdown(): void;
}

export interface DeliveryOptions {
  journal: Journal;
  transport: Transport;
  outage: OutageWarning;
  /** How long a finished span waits for others to share its request, in ms. */
  scheduleDelayMs: number;
  /** Absolute deadline of one request, in ms. */
  requestTimeoutMs: number;
  warn: (message: string) => void;
  /** @defaultValue the real one */
  clock?: Clock | undefined;
}

/** Replaced in tests to make time run faster. */
export interface Clock {
  nowMs(): number;
  setTimer(work: () => void, delayMs: number): NodeJS.Timeout;
}

const PROCESS_CLOCK: Clock = { nowMs, setTimer };

interface FlushWaiter {
  isRead: () => boolean;
  /** The flush is done when every parcel up to this number is settled; undefined until everything has been read. */
  through: number | undefined;
  resolve: () => void;
}

const MAX_CONCURRENT_REQUESTS = 4;
/** Maximum number of failed parcels in memory during an outage, each at most 1 MB. */
const MAX_TRIED_PARCELS = 6;
const ENOUGH_SPANS_TO_SEND = 512;
/** After this many responses of 500 while other batches are accepted, a batch counts as refused. */
const MAX_SERVER_ERRORS = 5;

/** Sends spans from the journal to the back end, and retries until they are accepted. No method throws or rejects. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #clock: Clock;
  readonly #backoff = new Backoff();
  readonly #retries: Parcel[] = [];
  readonly #unsettled = new Set<Parcel>();
  readonly #waiters = new Set<FlushWaiter>();
  readonly #warned = new Set<string>();
  #isRead: () => boolean = () => true;
  #freshSpans = 0;
  #inFlight = 0;
  #lastNumber = 0;
  #acceptedBatches = 0;
  #pausedUntilMs = 0;
  #scheduled: NodeJS.Timeout | undefined;
  #resume: NodeJS.Timeout | undefined;
  #isPumping = false;
  #isStopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? PROCESS_CLOCK;
    options.journal.onSpans = () => this.#drain();
  }

  /** Call this when a span was stored. It only schedules reading the journal, because the caller is ending a step. */
  wake(): void {
    this.#freshSpans += 1;
    if (this.#freshSpans === ENOUGH_SPANS_TO_SEND) soon(() => this.#drain());
    this.#scheduled ??= this.#clock.setTimer(() => this.#drain(), this.#options.scheduleDelayMs);
  }

  #drain(): void {
    clearTimer(this.#scheduled);
    this.#scheduled = undefined;
    this.#freshSpans = 0;
    this.#isRead = this.#options.journal.mark();
    void this.#pump();
  }

  get #isPaused(): boolean {
    return this.#clock.nowMs() < this.#pausedUntilMs;
  }

  /**
   * Resolves when everything stored before the call is settled, when that is not possible for the moment, or at the
   * deadline. After a failed attempt it resolves immediately until the next one is due.
   */
  async flush(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setHoldingTimer(resolve, deadlineMs);
    });
    const isOver = { isOver: false };
    try {
      await Promise.race([this.#flush(isOver), expired]);
    } finally {
      isOver.isOver = true;
      clearTimer(timer);
    }
  }

  async #flush(call: { isOver: boolean }): Promise<void> {
    await this.#options.journal.adoption;
    if (call.isOver || this.#isStopped || this.#isPaused) return;
    const { journal } = this.#options;
    if (journal.waitingSpans === 0) return;
    let waiter: FlushWaiter | undefined;
    const settled = new Promise<void>((resolve) => {
      waiter = { isRead: journal.mark(), through: undefined, resolve };
      this.#waiters.add(waiter);
    });
    this.#drain();
    await settled;
  }

  /** Stops immediately and closes all connections; spans that are not settled stay in the journal. */
  stop(): void {
    this.#isStopped = true;
    clearTimer(this.#scheduled);
    clearTimer(this.#resume);
    this.#options.transport.shutdown();
    this.#releaseWaiters(() => true);
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (!this.#isStopped && !this.#isPaused && this.#inFlight < this.#concurrency) {
        const parcel = await this.#choose();
        if (parcel === undefined) break;
        if (this.#isStopped || this.#isPaused) this.#retries.unshift(parcel);
        else void this.#send(parcel);
      }
    } finally {
      this.#isPumping = false;
    }
    this.#releaseWaiters((waiter) => this.#isSettled(waiter));
  }

  /**
   * Failed parcels go first. During an outage, every other attempt uses spans that have not been tried, in case the
   * failed ones are the cause.
   */
  async #choose(): Promise<Parcel | undefined> {
    const hasUnread = !this.#isRead();
    const isFreshTurn = this.#backoff.failures % 2 === 1 && this.#retries.length < MAX_TRIED_PARCELS;
    if (hasUnread && (isFreshTurn || this.#retries.length === 0)) {
      const fresh = await this.#read();
      if (fresh !== undefined) return fresh;
    }
    return this.#retries.shift();
  }

  /** During an outage, one request at a time probes whether the back end works again. */
  get #concurrency(): number {
    return this.#backoff.failures === 0 ? MAX_CONCURRENT_REQUESTS : 1;
  }

  async #read(): Promise<Parcel | undefined> {
    const batch = await this.#options.journal.next();
    if (batch === undefined) {
      // A read that fails is retried later.
      if (!this.#isRead()) this.#scheduled ??= this.#clock.setTimer(() => this.#drain(), this.#options.scheduleDelayMs);
      return undefined;
    }
    this.#lastNumber += 1;
    const { spans, encoded, resource, settle } = batch;
    const parcel = { spans, encoded, resource, settle, number: this.#lastNumber, serverErrors: 0 };
    this.#unsettled.add(parcel);
    return parcel;
  }

  async #send(parcel: Parcel): Promise<void> {
    this.#inFlight += 1;
    let response: ExportResponse;
    try {
      const { encoded, resource } = parcel;
      const body = encoded.request(resource, groupByScope(parcel.spans));
      const { transport, requestTimeoutMs } = this.#options;
      response = await transport.send(body, requestTimeoutMs, encoded.contentType);
    } catch (error) {
      response = { status: 'retryable', error: error instanceof Error ? error : new Error(String(error)) };
    }
    this.#inFlight -= 1;
    if (this.#isStopped) return;
    if (response.status === 'success') this.#accepted(parcel, response.data);
    else if (response.status === 'failure') this.#refused(parcel, response.error);
    else this.#failed(parcel, response.error, response.retryInMillis);
    void this.#pump();
  }

  #accepted(parcel: Parcel, answer: Uint8Array | undefined): void {
    this.#acceptedBatches += 1;
    this.#backoff.reset();
    this.#pausedUntilMs = 0;
    this.#options.outage.worked();
    this.#unsettled.delete(parcel);
    const { rejectedSpans, errorMessage } = partialSuccessOf(parcel, answer);
    const rejected = Math.min(rejectedSpans, parcel.spans.length);
    if (rejected > 0) parcel.settle(rejected, 'rejected');
    parcel.settle(parcel.spans.length - rejected);
    if (rejected > 0 || errorMessage !== '') this.#warnPartialSuccess(rejected, errorMessage);
  }

  #warnPartialSuccess(rejected: number, message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= 20) return;
    this.#warned.add(message);
    const quoted = JSON.stringify(message.slice(0, 200));
    this.#options.warn(
      rejected === 0
        ? `convotel: the back end accepted all spans of a request with the message ${quoted}. This warning appears once per message.`
        : `convotel: the back end accepted a request but rejected ${rejected} of its spans: ${quoted}. ` +
            'They are counted as dropped. This warning appears once per reason.',
    );
  }

  /** Bisects the batch until the span that is refused is alone. */
  #refused(parcel: Parcel, error: Error): void {
    this.#unsettled.delete(parcel);
    const { spans } = parcel;
    if (spans.length > 1) {
      const middle = spans.length >> 1;
      const halves = [spans.slice(0, middle), spans.slice(middle)].map((half) => ({ ...parcel, spans: half }));
      for (const half of halves) this.#unsettled.add(half);
      this.#retries.unshift(...halves);
      return;
    }
    const isTooLarge = error instanceof OTLPExporterError && error.code === 413;
    parcel.settle(1, isTooLarge ? 'too_large' : 'refused');
    const reason = describeFailure(error);
    const kind = `refused ${isTooLarge}`;
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.warn(
      `convotel: the back end refused a span and ${reason}. It was set aside and counted as dropped; the other spans of ` +
        'its batch were sent without it. This warning appears once.',
    );
  }

  #failed(parcel: Parcel, error: Error | undefined, retryAfterMs: number | undefined): void {
    if (isServerError(error)) {
      const accepted = this.#acceptedBatches;
      parcel.serverErrors += 1;
      if (parcel.serverErrors >= MAX_SERVER_ERRORS && accepted > 0 && this.#backoff.failures === 0) {
        this.#refused(parcel, error);
        return;
      }
    }
    // At the end of the queue, so that one bad batch does not block the others.
    this.#retries.push(parcel);
    this.#options.outage.failed(describeFailure(error));
    if (this.#isPaused && retryAfterMs === undefined) return;
    const waitMs = Math.max(this.#isPaused ? 0 : this.#backoff.next(), retryAfterMs ?? 0);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.nowMs() + waitMs);
    clearTimer(this.#resume);
    this.#resume = this.#clock.setTimer(() => this.#tryAgain(), waitMs);
    // Do not keep `flush` waiting if the connection was refused, the server asked for a pause, or the configuration is
    // wrong: the spans stay stored.
    const mayRecoverSoon = error instanceof OTLPExporterError && isTransient(error) && retryAfterMs === undefined;
    if (!mayRecoverSoon) this.#releaseWaiters(() => true);
  }

  #tryAgain(): void {
    // Reset explicitly, because a timer may fire slightly early.
    this.#pausedUntilMs = 0;
    void this.#pump();
  }

  #isSettled(waiter: FlushWaiter): boolean {
    if (waiter.through === undefined && waiter.isRead()) waiter.through = this.#lastNumber;
    if (waiter.through === undefined) return false;
    for (const { number } of this.#unsettled) {
      if (number <= waiter.through) return false;
    }
    return true;
  }

  #releaseWaiters(isOver: (waiter: FlushWaiter) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!isOver(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

/** Whether a retry may succeed within seconds, unlike with a wrong address or key. */
function isTransient({ code = 0 }: OTLPExporterError): boolean {
  return code >= 500 || code === 408 || code === 429;
}

function isServerError(error: Error | undefined): error is OTLPExporterError {
  return error instanceof OTLPExporterError && error.code === 500;
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HttpRefusal } from './http-answer.ts';

/** `Retry-After` if memory is short. */
const RETRY_AFTER_SECONDS = 2;
/** Fraction of the budget above which slow transfers are aborted. */
const PRESSURE_SHARE = 0.75;
/** A body or an answer that takes longer is slow: on one machine, 20 MiB take a fraction of a second. */
const SLOW_TRANSFER_MS = 5_000;
/** Maximum bytes of bodies that are decoded at the same time: decoded data takes several times as much memory. */
const MAX_DECODING_BYTES = 24 * 1024 ** 2;
/** Garbage is collected after this many bytes of large bodies. */
const COLLECT_AFTER_BYTES = 8 * 1024 ** 2;
const MIN_COLLECT_INTERVAL_MS = 250;
const LARGE_BODY_BYTES = 2 * 1024 ** 2;

/**
 * Limits the total memory of all request bodies and responses in progress. Without it, memory usage would grow with the
 * number of clients.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;
  readonly #transfers = new Set<MemoryLease>();
  #decodingBytes = 0;
  #uncollectedBytes = 0;
  #collectedMs = -Infinity;
  readonly #waiting: { bytes: number; start: () => void }[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Memory for one body that is being received, or one answer that is being sent; release it when done.
   * @param abandon - Called to abort the transfer if memory is short and it is slow.
   */
  lease(abandon: (refusal: HttpRefusal) => void): MemoryLease {
    const lease = new MemoryLease((self, bytes) => this.#take(self, bytes), abandon);
    this.#transfers.add(lease);
    return lease;
  }

  /** Call this when the transfer is over: it is then no longer aborted. */
  transferred(lease: MemoryLease): void {
    this.#transfers.delete(lease);
  }

  /** Runs `work` on a body of `bytes` as soon as it fits the decoding limit; a very large body is decoded alone. */
  async whileDecoding<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (this.#decodingBytes > 0 && this.#decodingBytes + bytes > MAX_DECODING_BYTES) {
      await new Promise<void>((start) => this.#waiting.push({ bytes, start }));
    } else {
      this.#decodingBytes += bytes;
    }
    try {
      return await work();
    } finally {
      this.#decodingBytes -= bytes;
      this.#collect(bytes);
      this.#startWaiting();
    }
  }

  #collect(bytes: number): void {
    if (bytes < LARGE_BODY_BYTES) return;
    this.#uncollectedBytes += bytes;
    if (this.#uncollectedBytes < COLLECT_AFTER_BYTES) return;
    this.#uncollectedBytes = 0;
    collectGarbage();
  }

  /** The bodies of rejected requests are still read to their end, which creates garbage of the same size. */
  #collectUnderPressure(): void {
    if (performance.now() - this.#collectedMs < MIN_COLLECT_INTERVAL_MS) return;
    collectGarbage();
    this.#collectedMs = performance.now();
  }

  #startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#decodingBytes > 0 && this.#decodingBytes + next.bytes > MAX_DECODING_BYTES) return;
      this.#decodingBytes += next.bytes;
      this.#waiting.shift();
      next.start();
    }
  }

  #take(lease: MemoryLease, bytes: number): void {
    if (bytes > 0 && this.#usedBytes + bytes > this.#maxBytes * PRESSURE_SHARE) this.#endSlowTransfers(lease);
    if (bytes > 0 && this.#usedBytes + bytes > this.#maxBytes) {
      this.#collectUnderPressure();
      throw new HttpRefusal(503, 'too many requests are in progress; try again', {
        'retry-after': String(RETRY_AFTER_SECONDS),
      });
    }
    this.#usedBytes += bytes;
    if (bytes < 0) this.#transfers.delete(lease);
  }

  #endSlowTransfers(asking: MemoryLease): void {
    const startedBefore = performance.now() - SLOW_TRANSFER_MS;
    for (const lease of this.#transfers) {
      if (lease !== asking && lease.startedMs < startedBefore) lease.abandon();
    }
  }
}

/** Memory that one body or answer takes. */
export class MemoryLease {
  readonly startedMs = performance.now();
  readonly #take: (lease: MemoryLease, bytes: number) => void;
  readonly #abandon: (refusal: HttpRefusal) => void;
  #bytes = 0;

  constructor(take: (lease: MemoryLease, bytes: number) => void, abandon: (refusal: HttpRefusal) => void) {
    this.#take = take;
    this.#abandon = abandon;
  }

  /** @throws {@link HttpRefusal} 503 if the budget is exceeded */
  add(bytes: number): void {
    this.#take(this, bytes);
    this.#bytes += bytes;
  }

  release(): void {
    this.#take(this, -this.#bytes);
    this.#bytes = 0;
  }

  abandon(): void {
    this.release();
    const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
    this.#abandon(new HttpRefusal(408, 'memory is short, and the body came too slowly; try again', headers));
  }
}

let collector: (() => void) | undefined;

/**
 * Forces a garbage collection. Otherwise V8 lets the heap grow to gigabytes on a large machine, a multiple of what
 * large bodies need. It takes about ten milliseconds, much less than decoding such a body.
 */
function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}

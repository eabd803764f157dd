import type { EncodedSpans } from '../encoding/span-encoder.ts';
import type { EncodedSpan, Segment } from './segment.ts';

/** Spans of one segment that are being sent. */
export interface Batch {
  readonly spans: readonly EncodedSpan[];
  readonly encoded: EncodedSpans;
  readonly resource: string;
  readonly bytes: number;
  /** Counts `spans` spans of the batch as delivered, or as dropped for `dropReason`. */
  settle(spans: number, dropReason?: string): void;
}

/** Below the limit of common proxies. A single larger span is sent alone. */
const MAX_BATCH_BYTES = 1_000_000;
/** How often a failed read is retried, for example if the program has run out of file handles. */
const MAX_READ_FAILURES = 5;

/** The segments of one process. They are read and deleted oldest first, and deleted only when every span is settled. */
export class Backlog {
  readonly segments: Segment[] = [];
  /** Number of spans that were read by delivery or dropped. Never decreases. */
  readSpans = 0;
  /** Number of spans that were ever in the segments. Never decreases. */
  spans = 0;
  readonly #counts: SpanCounts;
  readonly #maxBatchSpans: number;
  readonly #beforeRemoval: (segment: Segment) => void;
  readonly #unsettled = new Set<{ readonly index: number }>();
  #loaded: { segment: Segment; spans: EncodedSpan[] } | undefined;
  #readFailures = 0;

  /** `beforeRemoval` is called before a segment is deleted, and can copy what is still needed. */
  constructor(counts: SpanCounts, maxBatchSpans: number, beforeRemoval: (segment: Segment) => void = () => {}) {
    this.#counts = counts;
    this.#maxBatchSpans = maxBatchSpans;
    this.#beforeRemoval = beforeRemoval;
  }

  get waitingSpans(): number {
    return this.segments.reduce((sum, { spans, settledSpans }) => sum + spans - settledSpans, 0);
  }

  get hasUnread(): boolean {
    return this.readSpans < this.spans;
  }

  /** All spans of the process with a smaller index are settled. */
  get settledThrough(): number {
    const loaded = this.#loaded?.spans[0]?.index;
    const open = [...this.#unsettled].map(({ index }) => index);
    return Math.min(...open, loaded ?? Infinity);
  }

  /**
   * The next spans in order, all from one segment. Undefined if there are none or they cannot be read at the moment.
   */
  async next(): Promise<Batch | undefined> {
    const loaded = await this.#load();
    if (loaded === undefined) return undefined;
    const { segment, spans } = loaded;
    let bytes = 0;
    let count = 0;
    while (count < spans.length && count < this.#maxBatchSpans) {
      const length = spans[count]!.bytes.length;
      if (count > 0 && bytes + length > MAX_BATCH_BYTES) break;
      bytes += length;
      count += 1;
    }
    const taken = spans.splice(0, count);
    if (spans.length === 0) this.#loaded = undefined;
    segment.readSpans += count;
    this.readSpans += count;
    return this.#batch(segment, taken, bytes);
  }

  async #load(): Promise<{ segment: Segment; spans: EncodedSpan[] } | undefined> {
    while (this.#loaded === undefined) {
      const segment = this.segments.find(({ readBytes, bytes }) => readBytes < bytes);
      if (segment === undefined) return undefined;
      const expected = segment.spans - segment.readSpans;
      let spans: EncodedSpan[];
      try {
        spans = await segment.readOn();
        this.#readFailures = 0;
      } catch {
        this.#readFailures += 1;
        if (this.#readFailures < MAX_READ_FAILURES) return undefined;
        this.#readFailures = 0;
        segment.readBytes = segment.bytes;
        spans = [];
      }
      if (segment.isRemoved) continue;
      const lost = Math.max(0, expected - spans.length);
      segment.readSpans += lost;
      this.readSpans += lost;
      this.#settle(segment, lost, 'damaged');
      if (spans.length > 0) this.#loaded = { segment, spans };
    }
    return this.#loaded;
  }

  #batch(segment: Segment, spans: readonly EncodedSpan[], bytes: number): Batch {
    const mark = { index: spans[0]!.index };
    let left = spans.length;
    this.#unsettled.add(mark);
    return {
      spans,
      bytes,
      encoded: segment.encoded,
      resource: segment.header.resource,
      settle: (count, dropReason) => {
        left -= count;
        if (left <= 0) this.#unsettled.delete(mark);
        this.#settle(segment, count, dropReason);
      },
    };
  }

  #settle(segment: Segment, spans: number, dropReason?: string): void {
    // The spans of a segment that was deleted to make room have already been counted.
    if (segment.isRemoved || spans === 0) return;
    segment.settledSpans += spans;
    if (dropReason === undefined) this.#counts.delivered(spans);
    else this.#counts.dropped(spans, dropReason);
    this.free();
  }

  /** Deletes settled segments, oldest first. */
  free(): void {
    for (let first = this.segments[0]; first?.isSettled === true && !first.isRemoved; first = this.segments[0]) {
      this.#remove(first);
    }
  }

  /** Deletes the oldest segment and counts its unsettled spans as dropped. Returns false if only the newest is left. */
  dropOldest(reason: string, isCandidate: (segment: Segment) => boolean = () => true): boolean {
    const segment = this.segments.find((each) => each.isSealed && !each.isRemoved && isCandidate(each));
    if (segment === undefined) return false;
    const unread = segment.spans - segment.readSpans;
    this.readSpans += unread;
    if (this.#loaded?.segment === segment) this.#loaded = undefined;
    this.#counts.dropped(segment.spans - segment.settledSpans, reason);
    segment.settledSpans = segment.spans;
    segment.readBytes = segment.bytes;
    this.#remove(segment);
    return true;
  }

  #remove(segment: Segment): void {
    // `beforeRemoval` may write, and a write may call this again.
    segment.isRemoved = true;
    this.#beforeRemoval(segment);
    segment.storage.remove();
    this.segments.splice(this.segments.indexOf(segment), 1);
  }
}

/** Counts the spans of this process, and those that it took over from dead processes. */
export class SpanCounts {
  finishedSpans = 0;
  inheritedSpans = 0;
  deliveredSpans = 0;
  tornRecords = 0;
  readonly droppedSpans: Record<string, number> = {};
  readonly #onDrop: (spans: number, reason: string) => void;

  /** `onDrop` is called whenever dropped spans are counted. */
  constructor(onDrop: (spans: number, reason: string) => void = () => {}) {
    this.#onDrop = onDrop;
  }

  finished(): void {
    this.finishedSpans += 1;
  }

  inherited(spans: number): void {
    this.inheritedSpans += spans;
  }

  delivered(spans: number): void {
    this.deliveredSpans += spans;
  }

  dropped(spans: number, reason: string): void {
    if (spans === 0) return;
    this.droppedSpans[reason] = (this.droppedSpans[reason] ?? 0) + spans;
    this.#onDrop(spans, reason);
  }

  get allDroppedSpans(): number {
    return Object.values(this.droppedSpans).reduce((sum, each) => sum + each, 0);
  }
}

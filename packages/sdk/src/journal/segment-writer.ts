import { join } from 'node:path';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import type { SpanEncoder } from '../encoding/span-encoder.ts';
import { clearTimer, nowMs, setTimer } from '../settings/timers.ts';
import type { Backlog } from './backlog.ts';
import { newSalt, segmentFileName } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';
import type { ProcessFolder } from './process-folder.ts';
import { RECORD_HEADER_BYTES, RECORD_KIND, sealRecord } from './record.ts';
import { FileStorage, MemoryStorage, Segment } from './segment.ts';
import type { SegmentHeader } from './segment.ts';
import type { SyncPolicy } from '../settings/tracing-options.ts';

/** What the writer needs from its journal. */
export interface WriterHost {
  readonly files: JournalFiles;
  readonly encoder: SpanEncoder;
  readonly own: Backlog;
  readonly segmentBytes: number;
  readonly maxMemoryBytes: number;
  readonly sync: SyncPolicy;
  /** Folder for new segments; undefined to keep them in memory. */
  folder(): ProcessFolder | undefined;
  /** Whether one more segment may be created, after deleting others if necessary. */
  makeRoom(): boolean;
  /** Called when a new segment can be written to. */
  rotated(): void;
  /** Writes a heartbeat, which records the span count outside of the segments. */
  beat(): void;
  /** Warns once; the argument is the part of the sentence before `so finished spans …`. */
  warnOnce(what: string): void;
}

const MEMORY_SEGMENT_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** Delay after a span until its segment is flushed (with `interval`) and the span count is written (always). */
const INTERVAL_MS = 500;
/** After a file could not be written, memory is used for this long before the next attempt. */
const FILE_RETRY_MS = 5000;
const NO_HEADER = Buffer.alloc(RECORD_HEADER_BYTES);

/** Reasons for spans that are dropped because a limit was reached. */
export const FULL = { file: 'journal_full', memory: 'memory_full' } as const;

/**
 * Appends records to the newest segment, and starts another one when it is full, when the resource changes, or when its
 * file cannot be written. If no file can be written, the segment is kept in memory. File errors are never thrown.
 */
export class SegmentWriter {
  readonly #host: WriterHost;
  readonly #scopeNumbers = new Map<InstrumentationScope, number>();
  #resource: Resource | undefined;
  #segmentNumber = 0;
  #sequence = 0;
  #fileRetryMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #current: Segment | undefined;
  /** True while a segment is being created: nothing can be written. */
  isRotating = false;
  /** Number of spans written. */
  spanIndex = 0;
  /** Value of {@link spanIndex} after the newest span that was written to a file. */
  spansInFiles = 0;

  constructor(host: WriterHost) {
    this.#host = host;
  }

  /**
   * Appends a record. `encoded` contains the payload after reserved bytes for the record header. Returns the segment,
   * or undefined if the record could not be written.
   */
  append(kind: number, encoded: Buffer, payloadBytes: number, span: ReadableSpan): Segment | undefined {
    const { resource, instrumentationScope } = span;
    const segment = this.#current;
    const fits = segment !== undefined && this.#fits(segment, payloadBytes, resource);
    const scope = fits ? this.#scopeNumbers.get(instrumentationScope) : undefined;
    if (scope !== undefined && this.#write(segment!, kind, scope, encoded, payloadBytes)) return segment;
    // Copied, because the calls below use the encoder, which reuses its buffer.
    const record = Buffer.from(encoded.subarray(0, RECORD_HEADER_BYTES + payloadBytes));
    for (let attempt = fits && scope === undefined ? 0 : 1; attempt < 3; attempt += 1) {
      const next = attempt === 0 ? segment! : this.#rotate(resource);
      const number = this.#defineScope(next, instrumentationScope);
      if (number !== undefined && this.#write(next, kind, number, record, payloadBytes)) return next;
    }
    return undefined;
  }

  /** Records that all spans below `through` need not be sent again after a crash. */
  appendSettled(through: number): void {
    const segment = this.#current;
    if (segment === undefined || segment.storage.isInMemory) return;
    const record = Buffer.alloc(RECORD_HEADER_BYTES + 4);
    record.writeUInt32LE(through, RECORD_HEADER_BYTES);
    this.#write(segment, RECORD_KIND.settled, 0, record, 4);
  }

  #fits(segment: Segment, payloadBytes: number, resource: Resource): boolean {
    const isLongEnough = segment.bytes + RECORD_HEADER_BYTES + payloadBytes <= segment.capacity;
    return isLongEnough && resource === this.#resource && !this.#wantsFile(segment);
  }

  #wantsFile(segment: Segment): boolean {
    return segment.storage.isInMemory && this.#host.folder() !== undefined && nowMs() >= this.#fileRetryMs;
  }

  /**
   * Returns false if the bytes do not fit or could not be written. After a failed write, memory is used for a while.
   */
  #write(segment: Segment, kind: number, scope: number, record: Buffer, payloadBytes: number): boolean {
    const header = { kind, scope, sequence: this.#sequence, spansBefore: this.spanIndex };
    const bytes = sealRecord(record, payloadBytes, header, segment.salt);
    if (segment.bytes + bytes > segment.capacity) return false;
    try {
      segment.storage.write(record, bytes);
    } catch (error) {
      this.#fileFailed(error);
      return false;
    }
    this.#sequence += 1;
    segment.bytes += bytes;
    if (kind === RECORD_KIND.span) {
      this.spanIndex += 1;
      segment.spans += 1;
      this.#host.own.spans += 1;
      if (!segment.storage.isInMemory) this.spansInFiles = this.spanIndex;
    }
    return true;
  }

  #fileFailed(error: unknown): void {
    this.#fileRetryMs = nowMs() + FILE_RETRY_MS;
    this.#host.warnOnce(`the journal in ${this.#host.folder()?.path} cannot be written (${reasonOf(error)})`);
  }

  #defineScope(segment: Segment, scope: InstrumentationScope): number | undefined {
    const number = this.#scopeNumbers.size;
    const text = this.#host.encoder.scope(scope);
    if (!this.#writeSmall(segment, RECORD_KIND.scope, { number, scope: text })) return undefined;
    segment.scopes.set(number, text);
    this.#scopeNumbers.set(scope, number);
    return number;
  }

  #writeSmall(segment: Segment, kind: number, content: object): boolean {
    const payload = Buffer.from(JSON.stringify(content));
    return this.#write(segment, kind, 0, Buffer.concat([NO_HEADER, payload]), payload.length);
  }

  /** Starts a new segment, in a file if possible. Scopes are numbered per segment. */
  #rotate(resource: Resource): Segment {
    const { encoder, own } = this.#host;
    this.seal();
    this.#resource = resource;
    this.#scopeNumbers.clear();
    this.isRotating = true;
    const header = { encoding: encoder.encoding, resource: encoder.resource(resource) };
    const segment = this.#newFileSegment(header) ?? this.#newMemorySegment(header);
    this.isRotating = false;
    own.segments.push(segment);
    this.#current = segment;
    this.#host.rotated();
    own.free();
    return segment;
  }

  #newFileSegment(header: SegmentHeader): Segment | undefined {
    const { files, segmentBytes } = this.#host;
    const folder = this.#host.folder();
    if (folder === undefined || nowMs() < this.#fileRetryMs || !this.#host.makeRoom()) return undefined;
    this.#segmentNumber += 1;
    const salt = newSalt();
    const name = segmentFileName({ number: this.#segmentNumber, spansBefore: this.spanIndex, salt });
    try {
      const storage = FileStorage.create(files, join(folder.path, name));
      const segment = new Segment(storage, header, salt, segmentBytes);
      if (!this.#writeSmall(segment, RECORD_KIND.segment, header)) {
        storage.remove();
        return undefined;
      }
      if (this.isStrict) files.syncFolderNow(folder.path);
      else if (this.#host.sync === 'interval') files.syncFolder(folder.path);
      return segment;
    } catch (error) {
      this.#fileFailed(error);
      return undefined;
    }
  }

  #newMemorySegment(header: SegmentHeader): Segment {
    const { own, maxMemoryBytes } = this.#host;
    const inMemory = own.segments.filter(({ storage }) => storage.isInMemory);
    const held = inMemory.reduce((sum, { capacity }) => sum + capacity, 0);
    if (held + MEMORY_SEGMENT_BYTES > maxMemoryBytes) {
      own.dropOldest(FULL.memory, ({ storage }) => storage.isInMemory);
    }
    return new Segment(new MemoryStorage(MEMORY_SEGMENT_BYTES), header, 0, MEMORY_SEGMENT_BYTES);
  }

  /** Seals the newest segment; the next record starts another one. */
  seal(): void {
    const segment = this.#current;
    if (segment === undefined) return;
    this.#current = undefined;
    segment.isSealed = true;
    const { storage } = segment;
    // The strict policies guarantee that it is on the disk before anything newer is.
    if (this.isStrict && storage instanceof FileStorage) this.quietly(() => storage.syncNow());
    storage.seal(this.#host.sync !== 'never');
  }

  /** Whether ending a step or conversation waits for the disk. */
  get isStrict(): boolean {
    return this.#host.sync === 'conversation' || this.#host.sync === 'step';
  }

  /** After `span` was written, flushes to the disk as the policy requires, and schedules writing the span count. */
  syncAfter(span: ReadableSpan): void {
    const storage = this.#current?.storage;
    if (!(storage instanceof FileStorage)) return;
    this.#timer ??= setTimer(() => this.#intervalHasPassed(), INTERVAL_MS);
    switch (this.#host.sync) {
      case 'step':
        return this.quietly(() => storage.syncNow());
      case 'conversation':
        if (span.parentSpanContext === undefined) this.quietly(() => storage.syncNow());
        return;
      default:
        return;
    }
  }

  #intervalHasPassed(): void {
    this.#timer = undefined;
    this.#host.beat();
    const storage = this.#current?.storage;
    if (this.#host.sync === 'interval' && storage instanceof FileStorage) this.quietly(() => storage.sync());
  }

  /** A failed flush is only reported: the bytes are still with the kernel, and writing them again would not help. */
  quietly(flush: () => void): void {
    try {
      flush();
    } catch (error) {
      this.#host.warnOnce(
        `the journal in ${this.#host.folder()?.path} cannot be flushed to the disk (${reasonOf(error)})`,
      );
    }
  }

  close(): void {
    clearTimer(this.#timer);
    this.seal();
  }
}

/** The code of a system error, else the error's message. */
export function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message);
}

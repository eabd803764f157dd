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
  /** Where segments go; undefined keeps them in memory. */
  folder(): ProcessFolder | undefined;
  /** Whether one more segment may be created, after deleting others if necessary. */
  makeRoom(): boolean;
  /** Called when a new segment can be written to. */
  rotated(): void;
  /** Notes outside of the segments how many spans they hold. */
  beat(): void;
  /** Warns once; the argument is the part of the sentence before `so finished spans …`. */
  warnOnce(what: string): void;
}

const MEMORY_SEGMENT_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** How long after a span its segment is flushed with `interval`, and the count of spans written with every policy. */
const INTERVAL_MS = 500;
/** After a file could not be written, memory is used for this long before a file is tried again. */
const FILE_RETRY_MS = 5000;
const NO_HEADER = Buffer.alloc(RECORD_HEADER_BYTES);

/** Spans dropped for want of room, by where they were kept. */
export const FULL = { file: 'journal_full', memory: 'memory_full' } as const;

/**
 * Appends records to the newest segment, and begins another when that is full, when the resource changes, or when its
 * file cannot be written. If no file can be written, the segment is in memory. File errors are never thrown.
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
  /** A segment is being created; nothing can be written until it is ready. */
  isRotating = false;
  /** Spans that were written. */
  spanIndex = 0;
  /** What {@link spanIndex} was after the newest span that went to a file. */
  spansInFiles = 0;

  constructor(host: WriterHost) {
    this.#host = host;
  }

  /**
   * Appends a record whose payload stands behind room for its header. Returns where it went; undefined when it fits
   * into no segment.
   */
  append(kind: number, encoded: Buffer, payloadBytes: number, span: ReadableSpan): Segment | undefined {
    const { resource, instrumentationScope } = span;
    const segment = this.#current;
    const fits = segment !== undefined && this.#fits(segment, payloadBytes, resource);
    const scope = fits ? this.#scopeNumbers.get(instrumentationScope) : undefined;
    if (scope !== undefined && this.#write(segment!, kind, scope, encoded, payloadBytes)) return segment;
    // The calls below use the encoder, and with it the buffer that holds the record.
    const record = Buffer.from(encoded.subarray(0, RECORD_HEADER_BYTES + payloadBytes));
    for (let attempt = fits && scope === undefined ? 0 : 1; attempt < 3; attempt += 1) {
      const next = attempt === 0 ? segment! : this.#rotate(resource);
      const number = this.#defineScope(next, instrumentationScope);
      if (number !== undefined && this.#write(next, kind, number, record, payloadBytes)) return next;
    }
    return undefined;
  }

  /** Notes that all spans below `through` need not be sent again after a crash. */
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

  /** False when the bytes do not fit, or could not be written; memory is used then for a while. */
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

  /** Begins a new segment, in a file where that is possible. Scopes are numbered anew in each. */
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

  /** Ends the newest segment; the next record begins another. */
  seal(): void {
    const segment = this.#current;
    if (segment === undefined) return;
    this.#current = undefined;
    segment.isSealed = true;
    const { storage } = segment;
    // The strict policies promise that what is in it is on the disk before anything newer is.
    if (this.isStrict && storage instanceof FileStorage) this.quietly(() => storage.syncNow());
    storage.seal(this.#host.sync !== 'never');
  }

  /** Whether a step may wait for the disk. */
  get isStrict(): boolean {
    return this.#host.sync === 'conversation' || this.#host.sync === 'step';
  }

  /** Notes the count of spans soon, and flushes to the disk as the policy requires, after `span` was written. */
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

  /** A flush that fails leaves the bytes with the kernel; writing them again would not help. */
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

/** The code of a system error, else its message. */
export function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message);
}

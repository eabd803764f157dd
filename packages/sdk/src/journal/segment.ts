import { ENCODED_JSON } from '../encoding/json.ts';
import { ENCODED_PROTOBUF } from '../encoding/protobuf.ts';
import type { EncodedSpans, Encoding } from '../encoding/span-encoder.ts';
import type { JournalFiles } from './journal-files.ts';
import { RECORD_KIND, readRecords } from './record.ts';

/** Storage of one segment. Ending a step calls every method except `read`, so they must be fast. */
export interface SegmentStorage {
  readonly isInMemory: boolean;
  /** Appends the first `length` bytes. If it throws, nothing was appended. */
  write(bytes: Buffer, length: number): void;
  read(from: number, to: number): Promise<Buffer>;
  /** Called after the last write. With `flush`, the bytes are also flushed to the disk. */
  seal(flush?: boolean): void;
  /** Deletes the bytes. Never throws: a file that cannot be deleted is found and skipped by the next start. */
  remove(): void;
}

/** Keeps the bytes in memory, for programs without a journal and while the disk fails. */
export class MemoryStorage implements SegmentStorage {
  readonly isInMemory = true;
  #bytes: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  write(bytes: Buffer, length: number): void {
    bytes.copy(this.#bytes, this.#length, 0, length);
    this.#length += length;
  }

  async read(from: number, to: number): Promise<Buffer> {
    return this.#bytes.subarray(from, to);
  }

  seal(): void {}

  remove(): void {
    this.#bytes = Buffer.alloc(0);
  }
}

/** Keeps the bytes in a file: a new one, or that of a dead process. */
export class FileStorage implements SegmentStorage {
  readonly isInMemory = false;
  readonly path: string;
  readonly #files: JournalFiles;
  #file: number | undefined;
  #length = 0;
  #isDirty = false;

  private constructor(files: JournalFiles, path: string, file: number | undefined) {
    this.#files = files;
    this.path = path;
    this.#file = file;
  }

  static create(files: JournalFiles, path: string): FileStorage {
    return new FileStorage(files, path, files.create(path));
  }

  static existing(files: JournalFiles, path: string): FileStorage {
    return new FileStorage(files, path, undefined);
  }

  write(bytes: Buffer, length: number): void {
    const file = this.#file;
    if (file === undefined) throw new Error('the segment is sealed');
    let written = 0;
    try {
      while (written < length) {
        const now = this.#files.write(file, bytes, written, length - written);
        if (now === 0) throw new Error('the file system wrote nothing');
        written += now;
      }
    } catch (error) {
      if (written > 0) this.#quietly(() => this.#files.truncate(file, this.#length));
      throw error;
    }
    this.#length += length;
    this.#isDirty = true;
  }

  read(from: number, to: number): Promise<Buffer> {
    return this.#files.read(this.path, from, to - from);
  }

  /** Flushes to the disk before it returns. */
  syncNow(): void {
    if (this.#file === undefined || !this.#isDirty) return;
    this.#isDirty = false;
    this.#files.syncNow(this.#file);
  }

  /** Flushes to the disk in the background. */
  sync(done: (error: Error | null) => void = () => {}): void {
    if (this.#file === undefined || !this.#isDirty) return;
    this.#isDirty = false;
    this.#files.sync(this.#file, done);
  }

  seal(flush = false): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const close = (): void => this.#quietly(() => this.#files.close(file));
    if (!flush || !this.#isDirty) return close();
    try {
      // Keeps the file open until it is flushed.
      this.#files.sync(file, close);
    } catch {
      close();
    }
  }

  remove(): void {
    this.seal();
    this.#quietly(() => this.#files.removeFile(this.path));
  }

  #quietly(work: () => void): void {
    try {
      work();
    } catch {
      // The failure was already reported; the next start finds and skips the file.
    }
  }
}

/** The content of the first record of a segment. */
export interface SegmentHeader {
  encoding: Encoding;
  /** Output of {@link SpanEncoder.resource}. */
  resource: string;
  /** Number of spans of the process up to the end of this segment, if it was known when the segment was created. */
  spansThrough?: number | undefined;
}

/** A finished span in a segment. */
export interface EncodedSpan {
  scope: string;
  bytes: Buffer;
  /** Number of spans that its process had written before it. */
  index: number;
}

/** A run of records with one resource and one encoding, and how far it has been read and settled. */
export class Segment {
  readonly storage: SegmentStorage;
  readonly header: SegmentHeader;
  readonly salt: number;
  readonly capacity: number;
  /** Encoded instrumentation scopes by their number in this segment. */
  readonly scopes = new Map<number, string>();
  /** Spans below this index were settled before a crash. */
  skipBefore = 0;
  bytes = 0;
  spans = 0;
  readBytes = 0;
  readSpans = 0;
  settledSpans = 0;
  isSealed = false;
  isRemoved = false;

  constructor(storage: SegmentStorage, header: SegmentHeader, salt: number, capacity: number) {
    this.storage = storage;
    this.header = header;
    this.salt = salt;
    this.capacity = capacity;
  }

  get encoded(): EncodedSpans {
    return this.header.encoding === 'json' ? ENCODED_JSON : ENCODED_PROTOBUF;
  }

  get isSettled(): boolean {
    return this.isSealed && this.settledSpans >= this.spans;
  }

  /** Returns the spans that have not been read yet. Rejects if the bytes cannot be read. */
  async readOn(): Promise<EncodedSpan[]> {
    const { readBytes: from, bytes: to } = this;
    const bytes = await this.storage.read(from, to);
    const spans: EncodedSpan[] = [];
    for (const record of readRecords(bytes, this.salt)) {
      if (record.kind === RECORD_KIND.scope) this.#learnScope(record.payload);
      if (record.kind !== RECORD_KIND.span || record.spansBefore < this.skipBefore) continue;
      const scope = this.scopes.get(record.scope) ?? this.encoded.unknownScope;
      spans.push({ scope, bytes: record.payload, index: record.spansBefore });
    }
    this.readBytes = to;
    return spans;
  }

  #learnScope(payload: Buffer): void {
    const { number, scope } = JSON.parse(payload.toString()) as { number: number; scope: string };
    this.scopes.set(number, scope);
  }
}

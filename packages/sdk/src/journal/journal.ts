import { dirname, join } from 'node:path';
import { diag } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { clearTimer, setTimer } from '../settings/timers.ts';
import { ENCODED_JSON } from '../encoding/json.ts';
import { ENCODED_PROTOBUF } from '../encoding/protobuf.ts';
import { START_TIME_BYTES } from '../encoding/span-encoder.ts';
import type { SpanEncoder, StartedSpan } from '../encoding/span-encoder.ts';
import { adoptDeadProcesses } from './adoption.ts';
import { Backlog } from './backlog.ts';
import type { Batch } from './backlog.ts';
import { DISK, FORMAT_VERSION, newSalt, segmentFileName } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';
import { HEARTBEAT_INTERVAL_MS, ProcessFolder } from './process-folder.ts';
import { RECORD_HEADER_BYTES, RECORD_KIND, sealRecord } from './record.ts';
import { FileStorage, MemoryStorage, Segment } from './segment.ts';
import type { SegmentHeader } from './segment.ts';
import type { SpanCounts } from './span-counts.ts';
import { usedByOthers } from './used-bytes.ts';

/** When written spans are also flushed to the disk, which a loss of power cannot take back. */
export type SyncPolicy = 'never' | 'interval' | 'conversation' | 'step';

export interface JournalOptions {
  encoder: SpanEncoder;
  counts: SpanCounts;
  /** Name of the service, for what a damaged journal no longer says. */
  serviceName: string;
  /** Folder of the service; undefined keeps everything in memory. */
  folder: string | undefined;
  maxBytes: number;
  maxMemoryBytes: number;
  /** Spans of one request. */
  maxBatchSpans: number;
  /** Spans that may wait where there is no folder. */
  maxQueueSpans: number;
  sync: SyncPolicy;
  warn: (message: string) => void;
  files?: JournalFiles | undefined;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;
const SEGMENTS_AT_LEAST = 8;
/** `<state>/convotel/journal/<service>`: as many folders may be new. */
const NEW_FOLDER_LEVELS = 4;
const MEMORY_SEGMENT_BYTES = 2 * 1024 * 1024 + 64 * 1024;
const SYNC_INTERVAL_MS = 500;
/** After a file could not be written, memory is used so long before a file is tried again. */
const FILE_RETRY_MS = 5000;
/** Open spans beyond these are not written again when the segment of their start goes; they end as usual. */
const MAX_OPEN_SPANS = 100_000;
/** Spans that are shorter, so many in a row, are taken to end before the program lets go of the event loop. */
const AT_ONCE_NANOSECONDS = 200_000;
const TRUSTED_AFTER = 8;
/** After one that did not, so many must do so before the name is trusted again. */
const DISTRUSTED_FOR = 1000;
const MAX_REMEMBERED_NAMES = 1000;
/** In memory, encoding waits until so many spans have come together, or somebody asks for them. */
const MAX_DEFERRED_SPANS = 2048;
const ENCODED_AT_A_TIME = 512;

const NO_HEADER = Buffer.alloc(RECORD_HEADER_BYTES);

/** What was dropped because there was no room, by where it was kept. */
const FULL = { file: 'journal_full', memory: 'memory_full' } as const;

/**
 * Keeps every finished span until it is settled, see README.md in this folder. The methods that a step calls
 * (`started`, `ended`) neither wait nor throw.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #counts: SpanCounts;
  readonly #encoder: SpanEncoder;
  readonly #own: Backlog;
  readonly #adopted: Backlog[] = [];
  readonly #segmentBytes: number;
  readonly #toCarryOver: ReadableSpan[] = [];
  #isRotating = false;
  readonly #open = new Map<ReadableSpan, { segment: Segment; start: StartedSpan }>();
  /** Starts that have not been written yet, because spans of these names always ended at once. */
  readonly #unwrittenStarts: ReadableSpan[] = [];
  /** How many spans of a name have ended at once, one after the other. */
  readonly #endedAtOnce = new Map<string, number>();
  #isLookingAtStarts = false;
  readonly #scopeNumbers = new Map<InstrumentationScope, number>();
  #folder: ProcessFolder | undefined;
  #current: Segment | undefined;
  #resource: Resource | undefined;
  #segmentNumber = 0;
  #sequence = 0;
  #spanIndex = 0;
  #markedThrough = 0;
  #fileRetryMs = 0;
  #hasWarned = false;
  #deferred: ReadableSpan[] = [];
  #syncTimer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #turn = 0;
  #isReading: Promise<unknown> = Promise.resolve();
  /** Settles when the folders of dead processes have been looked at for the first time. */
  readonly adoption: Promise<void>;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#files = options.files ?? DISK;
    this.#counts = options.counts;
    this.#encoder = options.encoder;
    this.#own = new Backlog(options.counts, options.maxBatchSpans, (segment) => this.#carryOver(segment));
    this.#segmentBytes = Math.max(
      MIN_SEGMENT_BYTES,
      Math.min(SEGMENT_BYTES, Math.floor(options.maxBytes / SEGMENTS_AT_LEAST)),
    );
    if (options.folder !== undefined) this.#openFolder(options.folder);
    this.adoption = this.#folder === undefined ? Promise.resolve() : this.#adopt();
  }

  /** Whether spans are kept where the next start of the program finds them. */
  get outlivesProcess(): boolean {
    return this.#folder !== undefined;
  }

  get waitingSpans(): number {
    const adopted = this.#adopted.reduce((sum, backlog) => sum + backlog.waitingSpans, 0);
    return this.#own.waitingSpans + this.#deferred.length + adopted;
  }

  /** Spans that have not been given to anybody yet. */
  get unreadSpans(): number {
    const unread = (sum: number, { spans, readSpans }: Backlog): number => sum + spans - readSpans;
    return this.#adopted.reduce(unread, 0) + unread(0, this.#own) + this.#deferred.length;
  }

  #openFolder(folder: string): void {
    try {
      this.#folder = new ProcessFolder(this.#files, folder);
      if (this.#isStrict) this.#quietly(() => this.#syncFoldersAbove(folder));
      this.#heartbeat = setTimer(() => void this.#beat(), HEARTBEAT_INTERVAL_MS);
    } catch (error) {
      this.#warnOnce(`${folder} cannot be used (${reasonOf(error)})`);
    }
  }

  /** A new folder survives a loss of power when the one that holds it was flushed. */
  #syncFoldersAbove(folder: string): void {
    for (let above = folder, level = 0; level < NEW_FOLDER_LEVELS; level += 1, above = dirname(above)) {
      this.#files.syncFolderNow(above);
    }
  }

  #warnOnce(what: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.warn(
      `convotel: ${what}, so finished spans wait in memory and a crash loses them. Name a folder that can be written ` +
        'with startTracing({ journal: { folder } }) or XDG_STATE_HOME, or say journal: false if that is meant.',
    );
  }

  async #beat(): Promise<void> {
    this.#heartbeat = setTimer(() => void this.#beat(), HEARTBEAT_INTERVAL_MS);
    try {
      this.#folder?.beat();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#beginAgain();
      // Any other failure matters to other hosts only, and only after ten minutes of it.
    }
    await this.#adopt();
  }

  /** Another host took us for dead and has our folder: what is in it is in good hands, and we need a new one. */
  #beginAgain(): void {
    this.#seal();
    this.#folder?.close();
    this.#folder = undefined;
    clearTimer(this.#heartbeat);
    if (this.#options.folder !== undefined) this.#openFolder(this.#options.folder);
  }

  async #adopt(): Promise<void> {
    const { folder: serviceFolder, serviceName, maxBatchSpans, warn } = this.#options;
    const own = this.#folder;
    if (own === undefined || serviceFolder === undefined) return;
    try {
      const context = {
        files: this.#files,
        counts: this.#counts,
        own,
        serviceFolder,
        serviceName,
        maxBatchSpans,
        warn,
      };
      await adoptDeadProcesses(context, (backlog) => {
        this.#adopted.push(backlog);
        this.onSpans?.();
      });
    } catch {
      // The folder cannot be listed at this moment; it is looked at again with the next heartbeat.
    }
  }

  /** Called when spans came that nobody ended in this process. */
  onSpans: (() => void) | undefined;

  /** Notes that a step or conversation has begun, so that it can be closed should the process die. */
  started(span: ReadableSpan): void {
    if (this.#folder === undefined || this.#open.size >= MAX_OPEN_SPANS) return;
    if ((this.#endedAtOnce.get(span.name) ?? 0) < TRUSTED_AFTER) return this.#writeStart(span);
    this.#unwrittenStarts.push(span);
    if (this.#isLookingAtStarts) return;
    this.#isLookingAtStarts = true;
    void Promise.resolve().then(() => this.#writeStarts());
  }

  /** When the program lets go of the event loop, whatever is still open is written, and not waited with again. */
  #writeStarts(): void {
    this.#isLookingAtStarts = false;
    for (const span of this.#unwrittenStarts.splice(0)) {
      this.#endedAtOnce.set(span.name, -DISTRUSTED_FOR);
      try {
        this.#writeStart(span);
      } catch (error) {
        diag.debug('convotel: noting the start of a span', error);
      }
    }
  }

  #writeStart(span: ReadableSpan): void {
    const start = this.#encoder.start(span);
    if (start === 'unsendable') return;
    const segment = this.#append(RECORD_KIND.start, this.#encoder.bytes, start.length, span);
    if (segment !== undefined) this.#open.set(span, { segment, start });
  }

  /** Whether spans of this name end before the program lets go of the event loop; then their starts need no record. */
  #learnFrom(span: ReadableSpan): void {
    const times = this.#endedAtOnce.get(span.name);
    if (times === undefined && this.#endedAtOnce.size >= MAX_REMEMBERED_NAMES) return;
    const [seconds, nanoseconds] = span.duration;
    const isQuick = seconds === 0 && nanoseconds < AT_ONCE_NANOSECONDS;
    this.#endedAtOnce.set(span.name, isQuick ? (times ?? 0) + 1 : Math.min(times ?? 0, 0));
  }

  /** Notes that an open span will end in another process, so that nobody closes it after a crash of this one. */
  released(span: ReadableSpan): void {
    const at = this.#unwrittenStarts.lastIndexOf(span);
    if (at !== -1) this.#unwrittenStarts.splice(at, 1);
    if (!this.#open.delete(span)) return;
    const start = this.#encoder.start(span);
    if (start === 'unsendable') return;
    const { bytes, encoding } = this.#encoder;
    const form = encoding === 'json' ? ENCODED_JSON : ENCODED_PROTOBUF;
    const key = form.keyOf(bytes.subarray(RECORD_HEADER_BYTES + START_TIME_BYTES, RECORD_HEADER_BYTES + start.length));
    const length = bytes.write(key, RECORD_HEADER_BYTES, 'latin1');
    this.#append(RECORD_KIND.released, bytes, length, span);
  }

  /** Keeps a finished span. When this returns, its bytes are with the kernel. */
  ended(span: ReadableSpan): void {
    this.#counts.finished();
    if (this.#folder === undefined) {
      if (this.waitingSpans >= this.#options.maxQueueSpans) return this.#counts.dropped(1, FULL.memory);
      this.#deferred.push(span);
      if (this.#deferred.length >= MAX_DEFERRED_SPANS) this.#encodeDeferred(this.#deferred.length);
      return;
    }
    const at = this.#unwrittenStarts.lastIndexOf(span);
    const open = at === -1 ? this.#open.get(span) : undefined;
    this.#keep(span, open?.start);
    if (at !== -1) this.#unwrittenStarts.splice(at, 1);
    if (open !== undefined) {
      this.#open.delete(span);
      this.#learnFrom(span);
    }
    this.#syncAfter(span);
  }

  #keep(span: ReadableSpan, start?: StartedSpan): void {
    const length = this.#encoder.span(span, start);
    if (typeof length === 'string') this.#counts.dropped(1, length);
    else if (this.#append(RECORD_KIND.span, this.#encoder.bytes, length, span) === undefined) {
      this.#counts.dropped(1, 'too_large');
    } else {
      this.#spanIndex += 1;
    }
  }

  #encodeDeferred(count: number): void {
    const spans = this.#deferred;
    this.#deferred = spans.length > count ? spans.slice(count) : [];
    for (const span of spans.slice(0, count)) this.#keep(span);
  }

  #append(kind: number, encoded: Buffer, payloadBytes: number, span: ReadableSpan): Segment | undefined {
    const { resource, instrumentationScope } = span;
    const segment = this.#current;
    const fits = segment !== undefined && this.#fits(segment, payloadBytes, resource);
    const scope = fits ? this.#scopeNumbers.get(instrumentationScope) : undefined;
    if (scope !== undefined && this.#write(segment!, kind, scope, encoded, payloadBytes)) return segment;
    // What follows uses the encoder, and with it the buffer in which the record stands.
    const record = Buffer.from(encoded.subarray(0, RECORD_HEADER_BYTES + payloadBytes));
    for (let attempt = fits && scope === undefined ? 0 : 1; attempt < 3; attempt += 1) {
      const next = attempt === 0 ? segment! : this.#rotate(resource);
      const number = this.#defineScope(next, instrumentationScope);
      if (number !== undefined && this.#write(next, kind, number, record, payloadBytes)) return next;
    }
    return undefined;
  }

  #fits(segment: Segment, payloadBytes: number, resource: Resource): boolean {
    const isLongEnough = segment.bytes + RECORD_HEADER_BYTES + payloadBytes <= segment.capacity;
    return isLongEnough && resource === this.#resource && !this.#wantsFile(segment);
  }

  /** False when the bytes could not be written; memory is used then for a while. */
  #write(segment: Segment, kind: number, scope: number, record: Buffer, payloadBytes: number): boolean {
    const header = { kind, scope, sequence: this.#sequence, spansBefore: this.#spanIndex };
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
      segment.spans += 1;
      this.#own.spans += 1;
    }
    return true;
  }

  #fileFailed(error: unknown): void {
    this.#fileRetryMs = performance.now() + FILE_RETRY_MS;
    this.#warnOnce(`the journal in ${this.#folder?.path} cannot be written (${reasonOf(error)})`);
  }

  #wantsFile(segment: Segment): boolean {
    return segment.storage.isInMemory && this.#folder !== undefined && performance.now() >= this.#fileRetryMs;
  }

  #defineScope(segment: Segment, scope: InstrumentationScope): number | undefined {
    const number = this.#scopeNumbers.size;
    const text = this.#encoder.scope(scope);
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
    this.#seal();
    this.#resource = resource;
    this.#scopeNumbers.clear();
    this.#isRotating = true;
    const header = { encoding: this.#encoder.encoding, resource: this.#encoder.resource(resource) };
    const segment = this.#newFileSegment(header) ?? this.#newMemorySegment(header);
    this.#isRotating = false;
    this.#own.segments.push(segment);
    this.#current = segment;
    for (const span of this.#toCarryOver.splice(0)) this.#writeStart(span);
    this.#own.free();
    return segment;
  }

  #newFileSegment(header: SegmentHeader): Segment | undefined {
    const folder = this.#folder;
    if (folder === undefined || performance.now() < this.#fileRetryMs || !this.#makeRoom()) return undefined;
    this.#segmentNumber += 1;
    const salt = newSalt();
    const name = segmentFileName({ number: this.#segmentNumber, version: FORMAT_VERSION, salt });
    try {
      const storage = FileStorage.create(this.#files, join(folder.path, name));
      const segment = new Segment(storage, header, salt, this.#segmentBytes);
      if (!this.#writeSmall(segment, RECORD_KIND.segment, header)) {
        storage.remove();
        return undefined;
      }
      this.#syncNewFile(folder.path);
      return segment;
    } catch (error) {
      this.#fileFailed(error);
      return undefined;
    }
  }

  #syncNewFile(folder: string): void {
    if (this.#isStrict) this.#files.syncFolderNow(folder);
    else if (this.#options.sync === 'interval') this.#files.syncFolder(folder);
  }

  /** Whether a step may wait for the disk. */
  get #isStrict(): boolean {
    return this.#options.sync === 'conversation' || this.#options.sync === 'step';
  }

  #newMemorySegment(header: SegmentHeader): Segment {
    const inMemory = this.#own.segments.filter(({ storage }) => storage.isInMemory);
    const held = inMemory.reduce((sum, { capacity }) => sum + capacity, 0);
    if (held + MEMORY_SEGMENT_BYTES > this.#options.maxMemoryBytes) {
      this.#own.dropOldest(FULL.memory, ({ storage }) => storage.isInMemory);
    }
    return new Segment(new MemoryStorage(MEMORY_SEGMENT_BYTES), header, 0, MEMORY_SEGMENT_BYTES);
  }

  /** Whether one more segment fits below the service's cap, after the oldest of ours have gone where they had to. */
  #makeRoom(): boolean {
    const { folder, maxBytes } = this.#options;
    const others = usedByOthers(this.#files, folder!, this.#folder!, this.#segmentBytes);
    const isFile = ({ storage }: Segment): boolean => !storage.isInMemory;
    for (;;) {
      const own = this.#own.segments.filter(isFile).reduce((sum, { bytes }) => sum + bytes, 0);
      const adopted = this.#adopted.flatMap(({ segments }) => segments).reduce((sum, { bytes }) => sum + bytes, 0);
      if (others + own + adopted + this.#segmentBytes <= maxBytes) return true;
      const hasDropped =
        this.#adopted.some((backlog) => backlog.dropOldest(FULL.file)) || this.#own.dropOldest(FULL.file, isFile);
      if (!hasDropped) return false;
    }
  }

  #seal(): void {
    const segment = this.#current;
    if (segment === undefined) return;
    this.#current = undefined;
    segment.isSealed = true;
    const { storage } = segment;
    // The strict policies promise that what is in it is on the disk before anything newer is.
    if (this.#isStrict && storage instanceof FileStorage) this.#quietly(() => storage.syncNow());
    storage.seal(this.#options.sync !== 'never');
  }

  /** Writes the starts of spans that are still open again, before the segment that holds them goes. */
  #carryOver(segment: Segment): void {
    if (this.#folder === undefined) return;
    for (const [span, { segment: at }] of this.#open) {
      if (at !== segment) continue;
      this.#open.delete(span);
      if (this.#isRotating) this.#toCarryOver.push(span);
      else this.#writeStart(span);
    }
  }

  #syncAfter(span: ReadableSpan): void {
    const storage = this.#current?.storage;
    if (!(storage instanceof FileStorage)) return;
    switch (this.#options.sync) {
      case 'never':
        return;
      case 'step':
        return this.#quietly(() => storage.syncNow());
      case 'conversation':
        if (span.parentSpanContext === undefined) this.#quietly(() => storage.syncNow());
        return;
      default:
        this.#syncTimer ??= setTimer(() => {
          this.#syncTimer = undefined;
          this.#quietly(() =>
            this.#current?.storage instanceof FileStorage ? this.#current.storage.sync() : undefined,
          );
        }, SYNC_INTERVAL_MS);
    }
  }

  /** A flush that fails leaves the bytes with the kernel; writing them again would not help. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#warnOnce(`the journal in ${this.#folder?.path} cannot be flushed to the disk (${reasonOf(error)})`);
    }
  }

  /** The next spans to send: own ones and those of dead processes in turn. Undefined when there are none. */
  async next(): Promise<Batch | undefined> {
    const before = this.#isReading;
    const reading = before.then(() => this.#next());
    this.#isReading = reading.catch(() => {});
    return reading;
  }

  async #next(): Promise<Batch | undefined> {
    if (this.#deferred.length > 0 && !this.#own.hasUnread) this.#encodeDeferred(ENCODED_AT_A_TIME);
    const backlogs = [this.#own, ...this.#adopted];
    for (let tried = 0; tried < backlogs.length; tried += 1) {
      this.#turn = (this.#turn + 1) % backlogs.length;
      const batch = await backlogs[this.#turn]!.next();
      if (batch !== undefined) return { ...batch, settle: (spans, reason) => this.#settle(batch, spans, reason) };
    }
    return undefined;
  }

  #settle(batch: Batch, spans: number, reason: string | undefined): void {
    batch.settle(spans, reason);
    for (const [index, backlog] of this.#adopted.entries()) {
      if (backlog.segments.length === 0) this.#adopted.splice(index, 1);
    }
    this.#mark();
  }

  /** Notes how far spans are settled, so that a start after a crash does not send them again. */
  #mark(): void {
    const segment = this.#current;
    if (segment === undefined || segment.storage.isInMemory) return;
    const unread = this.#own.spans - this.#own.readSpans;
    const through = Math.min(this.#own.settledThrough, this.#spanIndex - unread);
    if (through <= this.#markedThrough) return;
    this.#markedThrough = through;
    const record = Buffer.alloc(RECORD_HEADER_BYTES + 4);
    record.writeUInt32LE(through, RECORD_HEADER_BYTES);
    this.#write(segment, RECORD_KIND.settled, 0, record, 4);
  }

  /** How far everything that was kept until now has been given to delivery. */
  mark(): () => boolean {
    const backlogs = [this.#own, ...this.#adopted];
    const through = backlogs.map(({ spans }) => spans);
    through[0]! += this.#deferred.length;
    return () => backlogs.every(({ readSpans }, index) => readSpans >= through[index]!);
  }

  /** Ends in good order: what waits is left for the next start, or counted as dropped where nothing outlives us. */
  close(): void {
    clearTimer(this.#heartbeat);
    clearTimer(this.#syncTimer);
    if (this.#folder === undefined) {
      this.#counts.dropped(this.#deferred.length, 'stopped');
      this.#deferred = [];
    }
    this.#seal();
    this.#own.free();
    while (this.#own.dropOldest('stopped', ({ storage }) => storage.isInMemory));
    if (this.#folder === undefined) return;
    if (this.waitingSpans === 0) this.#folder.remove();
    else this.#folder.close();
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message);
}

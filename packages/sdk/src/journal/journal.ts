import { dirname } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import type { SpanEncoder, StartedSpan } from '../encoding/span-encoder.ts';
import { clearTimer, setTimer } from '../settings/timers.ts';
import type { SyncPolicy } from '../settings/tracing-options.ts';
import { adoptDeadProcesses } from './adoption.ts';
import { Backlog } from './backlog.ts';
import type { Batch, SpanCounts } from './backlog.ts';
import { DISK } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';
import { OpenSpans } from './open-spans.ts';
import { HEARTBEAT_INTERVAL_MS, ProcessFolder, usedByOthers } from './process-folder.ts';
import { RECORD_KIND } from './record.ts';
import { FULL, reasonOf, SegmentWriter } from './segment-writer.ts';
import type { Segment } from './segment.ts';

/** Options of {@link Journal}. */
export interface JournalOptions {
  encoder: SpanEncoder;
  counts: SpanCounts;
  /** Service name for spans whose resource is missing in a damaged journal. */
  serviceName: string;
  /** Folder of the service; undefined to keep everything in memory. */
  folder: string | undefined;
  maxBytes: number;
  maxMemoryBytes: number;
  /** Maximum number of spans in one request. */
  maxBatchSpans: number;
  /** Maximum number of waiting spans without a folder. */
  maxQueueSpans: number;
  sync: SyncPolicy;
  warn: (message: string) => void;
  files?: JournalFiles | undefined;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;
const SEGMENTS_AT_LEAST = 8;
/** Number of levels in `<state>/convotel/journal/<service>` that may have been created. */
const NEW_FOLDER_LEVELS = 4;
/** In memory, spans are encoded when this many have accumulated or when they are read. */
const MAX_DEFERRED_SPANS = 2048;
const ENCODED_AT_A_TIME = 512;

/**
 * Stores every finished span until it is settled; see README.md in this folder. `started` and `ended`, which are called
 * by a step, neither block nor throw.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #counts: SpanCounts;
  readonly #encoder: SpanEncoder;
  readonly #own: Backlog;
  readonly #adopted: Backlog[] = [];
  readonly #segmentBytes: number;
  readonly #writer: SegmentWriter;
  readonly #open: OpenSpans;
  #folder: ProcessFolder | undefined;
  #markedThrough = 0;
  #hasWarned = false;
  #isClosed = false;
  #deferred: ReadableSpan[] = [];
  #heartbeat: NodeJS.Timeout | undefined;
  #turn = 0;
  #isReading: Promise<unknown> = Promise.resolve();
  /** Resolves when the folders of dead processes have been checked. */
  adoption: Promise<void>;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#files = options.files ?? DISK;
    this.#counts = options.counts;
    this.#encoder = options.encoder;
    this.#own = new Backlog(options.counts, options.maxBatchSpans, (segment) => this.#open.carryOver(segment));
    this.#segmentBytes = Math.max(
      MIN_SEGMENT_BYTES,
      Math.min(SEGMENT_BYTES, Math.floor(options.maxBytes / SEGMENTS_AT_LEAST)),
    );
    this.#writer = new SegmentWriter({
      files: this.#files,
      encoder: options.encoder,
      own: this.#own,
      segmentBytes: this.#segmentBytes,
      maxMemoryBytes: options.maxMemoryBytes,
      sync: options.sync,
      folder: () => this.#folder,
      makeRoom: () => this.#makeRoom(),
      rotated: () => this.#open.writeCarriedOver(),
      beat: () => this.#beat(),
      warnOnce: (what) => this.#warnOnce(what),
    });
    this.#open = new OpenSpans(options.encoder, this.#writer);
    if (options.folder !== undefined) this.#openFolder(options.folder);
    this.adoption = this.#folder === undefined ? Promise.resolve() : this.#adopt();
  }

  /** Whether the next start of the program finds unsent spans. */
  get outlivesProcess(): boolean {
    return this.#folder !== undefined;
  }

  get waitingSpans(): number {
    const adopted = this.#adopted.reduce((sum, backlog) => sum + backlog.waitingSpans, 0);
    return this.#own.waitingSpans + this.#deferred.length + adopted;
  }

  /** Spans that delivery has not read yet. */
  get unreadSpans(): number {
    const unread = (sum: number, { spans, readSpans }: Backlog): number => sum + spans - readSpans;
    return this.#adopted.reduce(unread, 0) + unread(0, this.#own) + this.#deferred.length;
  }

  #openFolder(folder: string): void {
    try {
      this.#folder = new ProcessFolder(this.#files, folder, () => ({
        droppedSpans: this.#counts.droppedSpans,
        spans: this.#writer.spansInFiles,
        settledSpans: this.#settledSpans,
      }));
      this.#writer.quietly(() => this.#syncFoldersAbove(folder));
      this.#heartbeat = setTimer(() => this.#beatAndAdopt(), HEARTBEAT_INTERVAL_MS);
    } catch (error) {
      this.#warnOnce(`${folder} cannot be used (${reasonOf(error)})`);
    }
  }

  /**
   * Flushes the parents of new folders, so that these survive a power failure. Only the strict policies wait for it.
   */
  #syncFoldersAbove(folder: string): void {
    if (this.#options.sync === 'never') return;
    for (let above = folder, level = 0; level < NEW_FOLDER_LEVELS; level += 1, above = dirname(above)) {
      if (this.#writer.isStrict) this.#files.syncFolderNow(above);
      else this.#files.syncFolder(above);
    }
  }

  #warnOnce(what: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.warn(
      `convotel: ${what}, so finished spans wait in memory and a crash loses them. Name a folder that can be written ` +
        'with startTracing({ journal: { folder } }) or XDG_STATE_HOME, or set journal: false if that is intended.',
    );
  }

  #beatAndAdopt(): void {
    this.#heartbeat = setTimer(() => this.#beatAndAdopt(), HEARTBEAT_INTERVAL_MS);
    this.#beat();
    this.adoptAgain();
  }

  #beat(): void {
    try {
      this.#folder?.beat();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#beginAgain();
      // Any other failure only matters after ten minutes to other hosts, or if a segment is damaged.
    }
  }

  /** Creates a new folder after another host has considered us dead and taken over ours, with the spans in it. */
  #beginAgain(): void {
    this.#writer.seal();
    this.#folder?.close();
    this.#folder = undefined;
    clearTimer(this.#heartbeat);
    if (this.#options.folder !== undefined) this.#openFolder(this.#options.folder);
  }

  /** Looks again for dead processes and terminated worker threads. */
  adoptAgain(): void {
    this.adoption = this.adoption.then(() => this.#adopt());
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
        isStopped: () => this.#isClosed,
      };
      await adoptDeadProcesses(context, (backlog) => {
        this.#adopted.push(backlog);
        this.onSpans?.();
      });
    } catch {
      // The folder cannot be listed at the moment; the next heartbeat tries again.
    }
  }

  /** Called when spans of dead processes were added. */
  onSpans: (() => void) | undefined;

  /** Records that a step or conversation has started, so that it can be closed if the process dies. */
  started(span: ReadableSpan): void {
    if (!this.#isClosed && this.#folder !== undefined) this.#open.started(span);
  }

  /** Records that an open span will end in another process, so that it is not closed after a crash of this one. */
  released(span: ReadableSpan): void {
    if (!this.#isClosed && this.#folder !== undefined) this.#open.released(span);
  }

  /** Stores a finished span. When this returns, its bytes have been passed to the kernel. */
  ended(span: ReadableSpan): void {
    this.#counts.finished();
    if (this.#isClosed) return this.#counts.dropped(1, 'stopped');
    if (this.#folder === undefined) return this.#defer(span);
    this.#keep(span, this.#open.startOf(span));
    this.#open.ended(span);
    this.#writer.syncAfter(span);
  }

  #defer(span: ReadableSpan): void {
    const { maxQueueSpans } = this.#options;
    if (maxQueueSpans !== Infinity && this.waitingSpans >= maxQueueSpans) return this.#counts.dropped(1, FULL.memory);
    this.#deferred.push(span);
    if (this.#deferred.length >= MAX_DEFERRED_SPANS) this.#encodeDeferred(this.#deferred.length);
  }

  #keep(span: ReadableSpan, start?: StartedSpan): void {
    const length = this.#encoder.span(span, start);
    if (typeof length === 'string') return this.#counts.dropped(1, length);
    const segment = this.#writer.append(RECORD_KIND.span, this.#encoder.bytes, length, span);
    if (segment === undefined) this.#counts.dropped(1, 'too_large');
  }

  #encodeDeferred(count: number): void {
    const spans = this.#deferred;
    this.#deferred = spans.length > count ? spans.slice(count) : [];
    for (const span of spans.slice(0, count)) this.#keep(span);
  }

  /** Whether another segment fits within the service's limit; deletes our oldest ones if necessary. */
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

  /** The next spans to send, alternating between our own and those of dead processes. Undefined if there are none. */
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

  /** Records how many spans are settled, so that they are not sent again after a crash. */
  #mark(): void {
    const through = this.#settledSpans;
    if (through <= this.#markedThrough) return;
    this.#markedThrough = through;
    this.#writer.appendSettled(through);
  }

  /** Spans of this process up to this count need not be sent again. */
  get #settledSpans(): number {
    const unread = this.#own.spans - this.#own.readSpans;
    return Math.min(this.#own.settledThrough, this.#writer.spanIndex - unread);
  }

  /** Returns a function that tells whether delivery has read all spans that were stored before this call. */
  mark(): () => boolean {
    const backlogs = [this.#own, ...this.#adopted];
    const through = backlogs.map(({ spans }) => spans);
    through[0]! += this.#deferred.length;
    return () => backlogs.every(({ readSpans }, index) => readSpans >= through[index]!);
  }

  /** Leaves waiting spans for the next start; those in memory are counted as dropped. */
  close(): void {
    this.#isClosed = true;
    clearTimer(this.#heartbeat);
    if (this.#folder === undefined) {
      this.#counts.dropped(this.#deferred.length, 'stopped');
      this.#deferred = [];
    }
    this.#writer.close();
    this.#own.free();
    while (this.#own.dropOldest('stopped', ({ storage }) => storage.isInMemory));
    if (this.#folder === undefined) return;
    if (this.waitingSpans === 0) this.#folder.remove();
    else this.#folder.close();
  }
}

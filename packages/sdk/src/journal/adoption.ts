import { join } from 'node:path';
import { ENCODED_JSON } from '../encoding/json.ts';
import { START_TIME_BYTES } from '../encoding/span-encoder.ts';
import { Backlog } from './backlog.ts';
import type { SpanCounts } from './backlog.ts';
import { readHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import { newSalt, parseSegmentName, unknownVersionOf } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';
import { recoverOpenSpans } from './open-spans.ts';
import { ADOPTED_FOLDER, isDead, readIdentity, RECOVERED_FILE, UNKNOWN_FOLDER } from './process-folder.ts';
import type { ProcessFolder } from './process-folder.ts';
import { readHeader, readRecords, RECORD_HEADER_BYTES, RECORD_KIND, RECORD_MAGIC } from './record.ts';
import type { JournalRecord } from './record.ts';
import { FileStorage, Segment } from './segment.ts';
import type { SegmentHeader } from './segment.ts';

/** What adoption needs from the journal of this process. */
export interface AdoptionContext {
  files: JournalFiles;
  serviceName: string;
  serviceFolder: string;
  own: ProcessFolder;
  counts: SpanCounts;
  maxBatchSpans: number;
  warn: (message: string) => void;
  /** Whether the journal has been closed. */
  isStopped: () => boolean;
}

/**
 * Takes over the folders of dead processes of this service, each by a rename, so that only one process succeeds. If it
 * fails, the folder stays where it is, for the next start.
 */
export async function adoptDeadProcesses(context: AdoptionContext, adopted: (backlog: Backlog) => void): Promise<void> {
  const { files, serviceFolder, own } = context;
  const nowMs = own.beat();
  for (const name of files.list(serviceFolder)) {
    if (name === own.name || name === UNKNOWN_FOLDER) continue;
    try {
      const folder = join(serviceFolder, name);
      if (!(await isDead(files, folder, own.identity.host, nowMs))) continue;
      if (context.isStopped()) return;
      for (const taken of takeOver(context, folder, name)) {
        const backlog = await openFolder(context, taken).catch(() => undefined);
        // One that cannot be listed stays in our folder, for the next start.
        if (backlog !== undefined) adopted(backlog);
      }
    } catch {
      // Another process has taken it over; what cannot be moved waits where it is.
    }
  }
}

/** Moves a dead process's folder, and those that it had adopted, into our own. */
function takeOver({ files, own }: AdoptionContext, folder: string, name: string): string[] {
  const destination = join(own.path, ADOPTED_FOLDER);
  files.makeFolder(destination);
  const taken = join(destination, name);
  const lock = readIdentity(files, folder)?.lock;
  files.rename(folder, taken);
  // A lock outside the folder (because its path was too long) would otherwise never be deleted.
  if (lock !== undefined && /convotel-[0-9a-f]{24}\.lock$/.test(lock)) removeQuietly(() => files.removeFile(lock));
  const folders = [taken];
  const inherited = join(taken, ADOPTED_FOLDER);
  for (const below of listOrNone(files, inherited)) {
    const moved = join(destination, below);
    files.rename(join(inherited, below), moved);
    folders.push(moved);
  }
  return folders;
}

function listOrNone(files: JournalFiles, folder: string): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

/** Reads the segments of a dead process, and recovers the spans that were open. */
async function openFolder(context: AdoptionContext, folder: string): Promise<Backlog> {
  const { files, counts } = context;
  const heartbeat = readHeartbeat(files, folder);
  const segments = segmentsAmong(knownFiles(context, folder));
  const backlog = new Backlog(counts, context.maxBatchSpans, (segment) => {
    if (backlog.segments.length === 1 && backlog.segments[0] === segment) removeEmptied(files, folder);
  });
  const scan = new FolderScan();
  for (const each of segments) {
    const path = join(folder, each.file);
    const segment = scan.add(FileStorage.existing(files, path), await readOrNone(files, path), each);
    if (segment !== undefined) backlog.segments.push(segment);
    else removeQuietly(() => files.removeFile(path));
  }
  scan.finish(heartbeat);
  const header = scan.anyHeader ?? { encoding: 'json', resource: ENCODED_JSON.resourceOf(context.serviceName) };
  const recovered = scan.hasRecovered ? undefined : recoverOpenSpans(files, folder, header, scan);
  if (recovered !== undefined) backlog.segments.push(recovered);
  finishScan(backlog, scan, header, counts);
  if (backlog.segments.length === 0) removeEmptied(files, folder);
  else backlog.free();
  return backlog;
}

function removeEmptied(files: JournalFiles, folder: string): void {
  removeQuietly(() => files.removeFolder(folder));
}

function removeQuietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // A folder that is empty or settled is harmless; the next start tries again.
  }
}

/** The files of a folder. Segments of an unknown version are moved to the folder `unknown`. */
function knownFiles({ files, serviceFolder, warn }: AdoptionContext, folder: string): string[] {
  return files.list(folder).filter((file) => {
    const version = unknownVersionOf(file);
    if (version === undefined) return true;
    const unknown = join(serviceFolder, UNKNOWN_FOLDER);
    files.makeFolder(unknown);
    files.rename(join(folder, file), join(unknown, `${newSalt().toString(16)}-${file}`));
    warn(
      `convotel: the journal holds spans in version ${version} of its format, which this release cannot read. ` +
        `They were moved to ${unknown}; a release that knows the version can send them.`,
    );
    return false;
  });
}

/** A file with records. */
export interface SegmentFile {
  file: string;
  salt: number;
  number: number;
  /** Number of spans that the process had written before it; undefined for {@link RECOVERED_FILE}. */
  spansBefore: number | undefined;
}

/** The segments among the files of a folder, in the order in which they were written. */
export function segmentsAmong(files: readonly string[]): SegmentFile[] {
  const segments: SegmentFile[] = [];
  for (const file of files) {
    const name = parseSegmentName(file);
    if (name !== undefined) segments.push({ file, ...name });
    if (file === RECOVERED_FILE) segments.push({ file, salt: 0, number: Infinity, spansBefore: undefined });
  }
  return segments.toSorted((a, b) => a.number - b.number);
}

/** An unreadable file counts as empty; its spans are counted as a gap. */
async function readOrNone(files: JournalFiles, path: string): Promise<Buffer> {
  try {
    return await files.readWhole(path);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Sets the span counts, after the scan has found which spans were settled. */
function finishScan(backlog: Backlog, scan: FolderScan, header: SegmentHeader, counts: SpanCounts): void {
  for (const segment of backlog.segments) {
    if (segment.header.resource === '') {
      segment.header.resource = header.resource;
      segment.header.encoding = header.encoding;
    }
    if (segment.spans === 0) segment.spans = scan.unsettledIn(segment);
    segment.skipBefore = scan.settledThrough;
    backlog.spans += segment.spans;
  }
  const missing = scan.gaps.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, scan.settledThrough)), 0);
  counts.inherited(backlog.spans + missing);
  counts.dropped(missing, 'damaged');
  counts.tornRecords += scan.tornRecords;
}

/** Accumulates the result of reading the segments of a dead process, in the order in which they were written. */
export class FolderScan {
  readonly open = new Map<string, { start: Buffer; scope: string; encoding: SegmentHeader['encoding'] }>();
  anyHeader: SegmentHeader | undefined;
  hasRecovered = false;
  settledThrough = 0;
  nextIndex = 0;
  /** Number of segments that end with an incomplete record. */
  tornRecords = 0;
  /** Ranges of spans whose records are missing or damaged, found as jumps in the span count. */
  readonly gaps: [from: number, to: number][] = [];
  #isCounting = false;
  /** Number of spans that seem to be damaged after the last intact record, as long as nothing later says how many. */
  #damagedAtEnd = 0;
  readonly #spanIndices = new Map<Segment, number[]>();

  /** Undefined for a segment without a single intact record. */
  add(storage: FileStorage, bytes: Buffer, { salt, spansBefore: first }: SegmentFile): Segment | undefined {
    // Everything before the first segment was settled and deleted.
    if (first !== undefined) this.#countGap(first);
    const records = [...readRecords(bytes, salt)];
    const end = records.at(-1)?.end ?? 0;
    if (endsTorn(bytes, end)) this.tornRecords += 1;
    if (records.length === 0) {
      this.#damagedAtEnd += damagedSpansAfter(bytes, end, { spansBefore: this.nextIndex });
      return undefined;
    }
    const encoding = this.anyHeader?.encoding ?? guessEncoding(records);
    const segment = new Segment(storage, { encoding, resource: '' }, salt, bytes.length);
    segment.bytes = bytes.length;
    segment.isSealed = true;
    const indices: number[] = [];
    for (const { kind, scope, payload, spansBefore } of records) {
      this.#countGap(spansBefore);
      if (kind === RECORD_KIND.segment) this.#learnHeader(segment, payload);
      else if (kind === RECORD_KIND.scope) learnScope(segment, payload);
      else if (kind === RECORD_KIND.settled)
        this.settledThrough = Math.max(this.settledThrough, payload.readUInt32LE(0));
      else if (kind === RECORD_KIND.released) this.open.delete(payload.toString('latin1'));
      else if (kind === RECORD_KIND.start) {
        const start = Buffer.from(payload);
        const key = segment.encoded.keyOf(start.subarray(START_TIME_BYTES));
        const scopeText = segment.scopes.get(scope) ?? segment.encoded.unknownScope;
        this.open.set(key, { start, scope: scopeText, encoding: segment.header.encoding });
      } else if (kind === RECORD_KIND.span) {
        this.open.delete(segment.encoded.keyOf(payload));
        this.nextIndex = Math.max(this.nextIndex, spansBefore + 1);
        indices.push(spansBefore);
      }
    }
    const { sequence } = records.at(-1)!;
    this.#damagedAtEnd = damagedSpansAfter(bytes, end, { spansBefore: this.nextIndex, sequence });
    if (segment.header.spansThrough !== undefined) this.#countGap(segment.header.spansThrough);
    this.#spanIndices.set(segment, indices);
    if (storage.path.endsWith(RECOVERED_FILE)) this.hasRecovered = true;
    return segment;
  }

  #learnHeader(segment: Segment, payload: Buffer): void {
    const header = JSON.parse(payload.toString()) as SegmentHeader;
    segment.header.encoding = header.encoding;
    segment.header.resource = header.resource;
    segment.header.spansThrough = header.spansThrough;
    this.anyHeader ??= header;
  }

  /** Adds the process's last heartbeat, if there is one. Call it after all segments are added. */
  finish(heartbeat: Heartbeat | undefined): void {
    const { spans, settledSpans } = heartbeat ?? { spans: 0, settledSpans: 0 };
    this.settledThrough = Math.max(this.settledThrough, settledSpans);
    // Without a segment, all spans were settled and deleted. Spans may have been written after the heartbeat.
    if (this.#isCounting) this.#countGap(Math.max(spans, this.nextIndex + this.#damagedAtEnd));
  }

  #countGap(spansBefore: number): void {
    if (this.#isCounting && spansBefore > this.nextIndex) this.gaps.push([this.nextIndex, spansBefore]);
    this.#isCounting = true;
    this.#damagedAtEnd = 0;
    this.nextIndex = Math.max(this.nextIndex, spansBefore);
  }

  /** Number of spans in a segment that were not settled before the crash. */
  unsettledIn(segment: Segment): number {
    return (this.#spanIndices.get(segment) ?? []).filter((index) => index >= this.settledThrough).length;
  }
}

/** Whether the bytes after the last intact record, which ends at `end`, end in the middle of a record. */
function endsTorn(bytes: Buffer, end: number): boolean {
  if (end === bytes.length) return false;
  const last = bytes.lastIndexOf(RECORD_MAGIC);
  if (last < end || bytes.length < last + RECORD_HEADER_BYTES) return true;
  return last + RECORD_HEADER_BYTES + bytes.readUInt32LE(last + 8) > bytes.length;
}

/**
 * Number of complete span headers after the last intact record. A torn last record was never counted as finished.
 * `expected` holds the smallest values that headers can have there: where bytes were removed or inserted, anything can
 * look like the header of a span, so one of its two counts must fit.
 */
function damagedSpansAfter(
  bytes: Buffer,
  end: number,
  { spansBefore, sequence = Infinity }: { spansBefore: number; sequence?: number },
): number {
  const mostRecords = Math.ceil((bytes.length - end) / RECORD_HEADER_BYTES);
  const fits = (count: number, least: number): boolean => count >= least && count <= least + mostRecords;
  let spans = 0;
  for (let at = bytes.indexOf(RECORD_MAGIC, end); at !== -1; at = bytes.indexOf(RECORD_MAGIC, at + 1)) {
    const header = readHeader(bytes, at);
    if (header?.kind !== RECORD_KIND.span || header.end > bytes.length) continue;
    if (fits(header.sequence, sequence) || fits(header.spansBefore, spansBefore)) spans += 1;
  }
  return spans;
}

/** Used if the segment's header record is damaged: JSON begins with a brace. */
function guessEncoding(records: readonly JournalRecord[]): SegmentHeader['encoding'] {
  const span = records.find(({ kind }) => kind === RECORD_KIND.span);
  const start = records.find(({ kind }) => kind === RECORD_KIND.start);
  const first = span?.payload[0] ?? start?.payload[START_TIME_BYTES];
  return first === undefined || first === '{'.charCodeAt(0) ? 'json' : 'protobuf';
}

function learnScope(segment: Segment, payload: Buffer): void {
  const { number, scope } = JSON.parse(payload.toString()) as { number: number; scope: string };
  segment.scopes.set(number, scope);
}

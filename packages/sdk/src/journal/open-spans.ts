import { join } from 'node:path';
import { diag } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { ENCODED_JSON } from '../encoding/json.ts';
import { ENCODED_PROTOBUF } from '../encoding/protobuf.ts';
import { sendableTime } from '../encoding/sendable.ts';
import { readStartTime, START_TIME_BYTES } from '../encoding/span-encoder.ts';
import type { SpanEncoder, StartedSpan } from '../encoding/span-encoder.ts';
import type { JournalFiles } from './journal-files.ts';
import { lastSignMs, RECOVERED_FILE } from './process-folder.ts';
import { RECORD_HEADER_BYTES, RECORD_KIND, sealRecord } from './record.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { FileStorage, MemoryStorage, Segment } from './segment.ts';
import type { SegmentHeader } from './segment.ts';

/** The starts of further open spans are not rewritten when their segment is deleted; these spans still end as usual. */
const MAX_OPEN_SPANS = 100_000;
/**
 * Maximum duration of a short span. After `TRUSTED_AFTER` of them in a row, more short ones of that name are expected.
 */
const AT_ONCE_NANOSECONDS = 200_000;
const TRUSTED_AFTER = 8;
/** After a span that was not short, this many short ones must follow before the name is trusted again. */
const DISTRUSTED_FOR = 1000;
const MAX_REMEMBERED_NAMES = 1000;

/**
 * Records which steps and conversations are open, so that the next start can close them if the process dies. A start is
 * written immediately, except for names whose spans are usually short: these wait until the program yields to the event
 * loop, and are not written at all if they have ended by then.
 */
export class OpenSpans {
  readonly #encoder: SpanEncoder;
  readonly #writer: SegmentWriter;
  readonly #open = new Map<ReadableSpan, { segment: Segment; start: StartedSpan }>();
  readonly #unwritten: ReadableSpan[] = [];
  readonly #toCarryOver: ReadableSpan[] = [];
  /** By span name, how many short spans there were in a row; negative while the name is not trusted. */
  readonly #endedAtOnce = new Map<string, number>();
  #isLooking = false;

  constructor(encoder: SpanEncoder, writer: SegmentWriter) {
    this.#encoder = encoder;
    this.#writer = writer;
  }

  started(span: ReadableSpan): void {
    if (this.#open.size >= MAX_OPEN_SPANS) return;
    if ((this.#endedAtOnce.get(span.name) ?? 0) < TRUSTED_AFTER) return this.#write(span);
    this.#unwritten.push(span);
    if (this.#isLooking) return;
    this.#isLooking = true;
    void Promise.resolve().then(() => this.#writeUnwritten());
  }

  /** The start of the span as it was written, if it was. Call this before {@link ended}. */
  startOf(span: ReadableSpan): StartedSpan | undefined {
    return this.#open.get(span)?.start;
  }

  ended(span: ReadableSpan): void {
    if (this.#open.delete(span)) this.#learnFrom(span);
    else this.#forgetUnwritten(span);
  }

  /** Records that the span will end in another process, so that it is not closed after a crash of this one. */
  released(span: ReadableSpan): void {
    this.#forgetUnwritten(span);
    if (!this.#open.delete(span)) return;
    const start = this.#encoder.start(span);
    if (start === 'unsendable') return;
    const { bytes, encoding } = this.#encoder;
    const form = encoding === 'json' ? ENCODED_JSON : ENCODED_PROTOBUF;
    const key = form.keyOf(bytes.subarray(RECORD_HEADER_BYTES + START_TIME_BYTES, RECORD_HEADER_BYTES + start.length));
    const length = bytes.write(key, RECORD_HEADER_BYTES, 'latin1');
    this.#writer.append(RECORD_KIND.released, bytes, length, span);
  }

  /** Rewrites the starts in `segment` before it is deleted; while a segment is being created, after that. */
  carryOver(segment: Segment): void {
    for (const [span, { segment: at }] of this.#open) {
      if (at !== segment) continue;
      this.#open.delete(span);
      if (this.#writer.isRotating) this.#toCarryOver.push(span);
      else this.#write(span);
    }
  }

  writeCarriedOver(): void {
    for (const span of this.#toCarryOver.splice(0)) this.#write(span);
  }

  /**
   * Called when the program has yielded to the event loop: writes the starts of the spans that are still open, and no
   * longer trusts their names.
   */
  #writeUnwritten(): void {
    this.#isLooking = false;
    for (const span of this.#unwritten.splice(0)) {
      this.#endedAtOnce.set(span.name, -DISTRUSTED_FOR);
      try {
        this.#write(span);
      } catch (error) {
        diag.debug('convotel: noting the start of a span', error);
      }
    }
  }

  #write(span: ReadableSpan): void {
    const start = this.#encoder.start(span);
    if (start === 'unsendable') return;
    const segment = this.#writer.append(RECORD_KIND.start, this.#encoder.bytes, start.length, span);
    if (segment !== undefined) this.#open.set(span, { segment, start });
  }

  #forgetUnwritten(span: ReadableSpan): void {
    const at = this.#unwritten.lastIndexOf(span);
    if (at !== -1) this.#unwritten.splice(at, 1);
  }

  #learnFrom({ name, duration: [seconds, nanoseconds] }: ReadableSpan): void {
    const times = this.#endedAtOnce.get(name);
    if (times === undefined && this.#endedAtOnce.size >= MAX_REMEMBERED_NAMES) return;
    const isQuick = seconds === 0 && nanoseconds < AT_ONCE_NANOSECONDS;
    this.#endedAtOnce.set(name, isQuick ? (times ?? 0) + 1 : Math.min(times ?? 0, 0));
  }
}

/** The open spans of a dead process by span key, and how many spans it had written. */
export interface LeftOpen {
  readonly open: ReadonlyMap<string, { start: Buffer; scope: string; encoding: SegmentHeader['encoding'] }>;
  readonly nextIndex: number;
}

/** Writes the spans that were open to a separate segment, atomically. */
export function recoverOpenSpans(
  files: JournalFiles,
  folder: string,
  header: SegmentHeader,
  left: LeftOpen,
): Segment | undefined {
  const open = [...left.open.values()].filter(({ encoding }) => encoding === header.encoding);
  if (open.length === 0) return undefined;
  const lastSignNano = BigInt(Math.round(lastSignMs(files, folder) * 1000)) * 1000n;
  const probe = new Segment(new MemoryStorage(0), header, 0, 0);
  const first = JSON.stringify({ ...header, spansThrough: left.nextIndex + open.length });
  const records: Buffer[] = [recordOf(RECORD_KIND.segment, 0, left.nextIndex, Buffer.from(first))];
  const scopes = new Map<string, number>();
  let index = left.nextIndex;
  for (const { start, scope } of open) {
    let number = scopes.get(scope);
    if (number === undefined) {
      number = scopes.size;
      scopes.set(scope, number);
      records.push(recordOf(RECORD_KIND.scope, 0, index, Buffer.from(JSON.stringify({ number, scope }))));
    }
    const startNano = sendableTime(readStartTime(start));
    const end = lastSignNano > startNano ? lastSignNano : startNano;
    records.push(
      recordOf(RECORD_KIND.span, number, index, probe.encoded.abandon(start.subarray(START_TIME_BYTES), end)),
    );
    index += 1;
  }
  const bytes = Buffer.concat(records);
  const segment = new Segment(storeRecovered(files, folder, bytes), header, 0, bytes.length);
  segment.bytes = bytes.length;
  segment.isSealed = true;
  segment.spans = open.length;
  return segment;
}

/** If the disk fails, they stay in memory; after another crash they are recovered again. */
function storeRecovered(files: JournalFiles, folder: string, bytes: Buffer): FileStorage | MemoryStorage {
  const path = join(folder, RECOVERED_FILE);
  const draft = `${path}.draft`;
  try {
    files.removeFile(draft);
    const storage = FileStorage.create(files, draft);
    try {
      storage.write(bytes, bytes.length);
    } finally {
      storage.seal();
    }
    files.rename(draft, path);
    return FileStorage.existing(files, path);
  } catch {
    const storage = new MemoryStorage(bytes.length);
    storage.write(bytes, bytes.length);
    return storage;
  }
}

function recordOf(kind: number, scope: number, spansBefore: number, payload: Buffer): Buffer {
  const record = Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), payload]);
  sealRecord(record, payload.length, { kind, scope, sequence: 0, spansBefore }, 0);
  return record;
}

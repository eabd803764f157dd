import { START_TIME_BYTES } from '../encoding/span-encoder.ts';
import { RECOVERED_FILE } from './process-folder.ts';
import { RECORD_HEADER_BYTES, RECORD_KIND, RECORD_MAGIC, readRecords } from './record.ts';
import type { JournalRecord } from './record.ts';
import { Segment } from './segment.ts';
import type { FileStorage, SegmentHeader } from './segment.ts';

/** What one pass over the segments of a dead process finds out, in the order in which they were written. */
export class FolderScan {
  readonly open = new Map<string, { start: Buffer; scope: string; encoding: SegmentHeader['encoding'] }>();
  anyHeader: SegmentHeader | undefined;
  hasRecovered = false;
  settledThrough = 0;
  nextIndex = 0;
  /** Records at the end of a segment that were begun and not finished. */
  tornRecords = 0;
  /** Spans whose records are missing or damaged: the count of spans jumps there. */
  readonly gaps: [from: number, to: number][] = [];
  #isCounting: boolean;
  readonly #spanIndices = new Map<Segment, number[]>();

  constructor(firstIndex: number | undefined) {
    this.#isCounting = firstIndex !== undefined;
    this.nextIndex = firstIndex ?? 0;
  }

  /** Undefined for a segment without a single intact record. */
  add(storage: FileStorage, bytes: Buffer, salt: number): Segment | undefined {
    const records = [...readRecords(bytes, salt)];
    if (endsTorn(bytes, records.at(-1)?.end ?? 0)) this.tornRecords += 1;
    if (records.length === 0) return undefined;
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
    this.nextIndex += damagedSpansAfter(
      bytes,
      records.at(-1)!.end,
      (from, to) => this.gaps.push([from, to]),
      this.nextIndex,
    );
    this.#spanIndices.set(segment, indices);
    if (storage.path.endsWith(RECOVERED_FILE)) this.hasRecovered = true;
    return segment;
  }

  #learnHeader(segment: Segment, payload: Buffer): void {
    const header = JSON.parse(payload.toString()) as SegmentHeader;
    segment.header.encoding = header.encoding;
    segment.header.resource = header.resource;
    this.anyHeader ??= header;
  }

  #countGap(spansBefore: number): void {
    if (this.#isCounting && spansBefore > this.nextIndex) this.gaps.push([this.nextIndex, spansBefore]);
    this.#isCounting = true;
    this.nextIndex = Math.max(this.nextIndex, spansBefore);
  }

  /** Spans of a segment that were not settled before the crash. */
  unsettledIn(segment: Segment): number {
    return (this.#spanIndices.get(segment) ?? []).filter((index) => index >= this.settledThrough).length;
  }
}

/** Whether the bytes behind the last intact record end in the middle of one. */
function endsTorn(bytes: Buffer, end: number): boolean {
  if (end === bytes.length) return false;
  const last = bytes.lastIndexOf(RECORD_MAGIC);
  if (last < end || bytes.length < last + RECORD_HEADER_BYTES) return true;
  return last + RECORD_HEADER_BYTES + bytes.readUInt32LE(last + 8) > bytes.length;
}

/** Whole spans behind the last intact record, recognised by their headers; a torn last one never counted as finished. */
function damagedSpansAfter(bytes: Buffer, end: number, gap: (from: number, to: number) => void, index: number): number {
  let spans = 0;
  for (let at = bytes.indexOf(RECORD_MAGIC, end); at !== -1; at = bytes.indexOf(RECORD_MAGIC, at + 1)) {
    if (bytes.length < at + RECORD_HEADER_BYTES || bytes.readUInt16LE(at + 20) !== RECORD_KIND.span) continue;
    const isWhole = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8) <= bytes.length;
    if (isWhole) spans += 1;
  }
  if (spans > 0) gap(index, index + spans);
  return spans;
}

/** Where the record that says it is damaged: JSON begins with a brace. */
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

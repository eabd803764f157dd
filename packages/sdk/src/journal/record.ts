import { crc32 } from 'node:zlib';
import { HEADROOM_BYTES } from '../encoding/span-encoder.ts';

/**
 * One record of a segment:
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | magic; not valid UTF-8, so that no text contains it |
 * | 4 | 4 | CRC-32 of everything after it, seeded with the segment's salt |
 * | 8 | 4 | length of the payload |
 * | 12 | 4 | sequence number of the record within its process |
 * | 16 | 4 | spans that the process had written before this record |
 * | 20 | 2 | kind |
 * | 22 | 2 | number of the instrumentation scope (spans and starts) |
 * | 24 | … | payload |
 */
export const RECORD_HEADER_BYTES = HEADROOM_BYTES;
export const RECORD_MAGIC = Buffer.from([0xc0, 0xff, 0xc1, 0xf5]);
const MAGIC_NUMBER = RECORD_MAGIC.readUInt32LE(0);

/** Maximum payload; a larger value means that the length field is damaged. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

/** Record types; the number is in the header. */
export const RECORD_KIND = {
  /** JSON: {@link SegmentHeader}. */
  segment: 1,
  /** JSON: an instrumentation scope and its number. */
  scope: 2,
  /** A span that has started: its start time, and the beginning of its OTLP bytes. */
  start: 3,
  /** A finished span: its OTLP bytes. */
  span: 4,
  /** Four bytes: spans of the process up to this count need not be sent again. */
  settled: 5,
  /** Key of a span that has started here and will end in another process. */
  released: 6,
} as const;

export interface RecordHeader {
  kind: number;
  scope: number;
  sequence: number;
  spansBefore: number;
}

export interface FoundHeader extends RecordHeader {
  /** Offset of the first byte after the record. */
  end: number;
}

export interface JournalRecord extends FoundHeader {
  payload: Buffer;
}

/** Writes the header into the bytes reserved before the payload. Returns the record's length. */
export function sealRecord(record: Buffer, payloadBytes: number, header: RecordHeader, salt: number): number {
  const end = RECORD_HEADER_BYTES + payloadBytes;
  setUint32(record, 0, MAGIC_NUMBER);
  setUint32(record, 8, payloadBytes);
  setUint32(record, 12, header.sequence);
  setUint32(record, 16, header.spansBefore);
  setUint32(record, 20, header.kind | (header.scope << 16));
  setUint32(record, 4, crc32(record.subarray(8, end), salt));
  return end;
}

/** `writeUInt32LE` without its checks, which are too slow here. */
function setUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** What the header at `offset` says, intact or not; undefined if the bytes end before it does. */
export function readHeader(bytes: Buffer, offset: number): FoundHeader | undefined {
  if (bytes.length - offset < RECORD_HEADER_BYTES) return undefined;
  return {
    kind: bytes.readUInt16LE(offset + 20),
    scope: bytes.readUInt16LE(offset + 22),
    sequence: bytes.readUInt32LE(offset + 12),
    spansBefore: bytes.readUInt32LE(offset + 16),
    end: offset + RECORD_HEADER_BYTES + bytes.readUInt32LE(offset + 8),
  };
}

/** The record at `offset`; `damaged` if there is none, `incomplete` if it ends after the end of the bytes. */
function readRecord(bytes: Buffer, offset: number, salt: number): JournalRecord | 'damaged' | 'incomplete' {
  const header = readHeader(bytes, offset);
  if (header === undefined) return 'incomplete';
  if (bytes.readUInt32LE(offset) !== MAGIC_NUMBER) return 'damaged';
  const payloadStart = offset + RECORD_HEADER_BYTES;
  if (header.end - payloadStart > MAX_PAYLOAD_BYTES) return 'damaged';
  if (header.end > bytes.length) return 'incomplete';
  if (crc32(bytes.subarray(offset + 8, header.end), salt) !== bytes.readUInt32LE(offset + 4)) return 'damaged';
  return { ...header, payload: bytes.subarray(payloadStart, header.end) };
}

/**
 * All intact records of a whole segment, in order; damaged and torn ones are skipped. An `incomplete` record in the
 * middle is damaged, too: its length field is wrong.
 */
export function* readRecords(bytes: Buffer, salt: number, from = 0): Generator<JournalRecord> {
  let offset = from;
  for (;;) {
    const record = readRecord(bytes, offset, salt);
    if (typeof record === 'object') {
      yield record;
      offset = record.end;
      continue;
    }
    const next = bytes.indexOf(RECORD_MAGIC, offset + 1);
    if (next === -1) return;
    offset = next;
  }
}

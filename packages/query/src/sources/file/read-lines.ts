import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';

/** Where a line stands in its file. */
export interface LinePlace {
  /** Of its first byte. */
  offset: number;
  byteLength: number;
}

/** One line of a file. */
export interface Line {
  /** 1 for the first. */
  lineNumber: number;
  place: LinePlace;
  /** Absent where the line is too long or not UTF-8; then `unreadable` says so. */
  text?: string;
  unreadable?: string;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1_048_576;

/**
 * Reads a file line by line with one line in memory at a time. A line above `maxLineBytes` is passed over.
 * Rejects with the system's error when the file cannot be read.
 */
export async function* readLines(path: string, maxLineBytes: number): AsyncGenerator<Line> {
  const file = await open(path);
  try {
    let lineNumber = 1;
    let offset = 0;
    let pieces: Buffer[] = [];
    let byteLength = 0;
    const keep = (piece: Buffer): void => {
      byteLength += piece.length;
      if (byteLength <= maxLineBytes) pieces.push(piece);
      else pieces = [];
    };
    const finish = (): Line => {
      const line = { lineNumber, place: { offset, byteLength } };
      const isTooLong = byteLength > maxLineBytes;
      const text = isTooLong ? undefined : decodeUtf8(Buffer.concat(pieces));
      lineNumber += 1;
      offset += byteLength + 1;
      pieces = [];
      byteLength = 0;
      if (isTooLong) return { ...line, unreadable: `it is longer than ${maxLineBytes} bytes` };
      return text === undefined ? { ...line, unreadable: 'it is not UTF-8' } : { ...line, text };
    };
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES })) {
      let rest = chunk as Buffer;
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
        keep(rest.subarray(0, end));
        yield finish();
        rest = rest.subarray(end + 1);
      }
      keep(rest);
    }
    if (byteLength > 0) yield finish();
  } finally {
    await file.close();
  }
}

/** Reads the lines at `places` again; one that is no UTF-8 any more is left out. */
export async function readLinesAt(path: string, places: readonly LinePlace[]): Promise<string[]> {
  const file = await open(path);
  try {
    const texts: string[] = [];
    for (const { offset, byteLength } of places) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(byteLength), 0, byteLength, offset);
      const text = decodeUtf8(buffer.subarray(0, bytesRead));
      if (text !== undefined) texts.push(text);
    }
    return texts;
  } finally {
    await file.close();
  }
}

/** Undefined where `bytes` are not UTF-8. A byte order mark is dropped. */
function decodeUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString().replace(/^\ufeff/, '') : undefined;
}

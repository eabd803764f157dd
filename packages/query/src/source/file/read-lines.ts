import { open } from 'node:fs/promises';

/** One line of a file. */
export interface Line {
  /** 1 for the first. */
  lineNumber: number;
  /** Absent where the line is too long or not UTF-8; then `unreadable` says so. */
  text?: string;
  unreadable?: string;
}

const NEWLINE = 0x0a;

/**
 * Reads a file line by line with one line in memory at a time. A line above `maxLineBytes` is passed over.
 * Rejects with the system's error when the file cannot be read.
 */
export async function* readLines(path: string, maxLineBytes: number): AsyncGenerator<Line> {
  const file = await open(path);
  try {
    let lineNumber = 1;
    let pieces: Buffer[] = [];
    let byteCount = 0;
    const keep = (piece: Buffer): void => {
      byteCount += piece.length;
      if (byteCount <= maxLineBytes) pieces.push(piece);
      else pieces = [];
    };
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      let rest = chunk as Buffer;
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
        keep(rest.subarray(0, end));
        yield toLine(lineNumber, pieces, byteCount, maxLineBytes);
        lineNumber += 1;
        pieces = [];
        byteCount = 0;
        rest = rest.subarray(end + 1);
      }
      keep(rest);
    }
    if (byteCount > 0) yield toLine(lineNumber, pieces, byteCount, maxLineBytes);
  } finally {
    await file.close();
  }
}

function toLine(lineNumber: number, pieces: Buffer[], byteCount: number, maxLineBytes: number): Line {
  if (byteCount > maxLineBytes) return { lineNumber, unreadable: `it is longer than ${maxLineBytes} bytes` };
  try {
    // A byte order mark is dropped here.
    return { lineNumber, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)) };
  } catch (error) {
    if (error instanceof TypeError) return { lineNumber, unreadable: 'it is not UTF-8' };
    throw error;
  }
}

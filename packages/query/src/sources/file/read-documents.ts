import { readLines } from './read-lines.ts';
import type { Line, LinePlace } from './read-lines.ts';

/** One JSON document of a file: a line, or the lines over which it is pretty-printed. */
export interface FileDocument {
  firstLine: number;
  lastLine: number;
  place: LinePlace;
  /** Absent where a line is too long or not UTF-8; then `unreadable` says so. */
  text?: string;
  unreadable?: string;
}

/** Nothing but opening brackets, and the name of a first member: `{`, `[`, `[{`, `{ "resourceSpans": [`. */
const OPENING_LINE = /^[[{](?:\s*"[^"]*"\s*:)?[\s[{]*$/;

/** A bracket that is not indented closes what began at the margin. */
const CLOSING_LINE = /^[}\]]\s*$/;

/** What begins so is a document of its own, so the one before it was torn. */
const REQUEST_LINE = /^\{"resource(?:Spans|Metrics|Logs)"/;

/**
 * Reads a file of JSON documents: one a line, or pretty-printed, several of them one after the other included. A document
 * that is not closed costs only the lines that nothing else is on.
 * Rejects with the system's error when the file cannot be read.
 */
export async function* readDocuments(path: string, maxBytes: number): AsyncGenerator<FileDocument> {
  let open: Line[] = [];
  let openBytes = 0;
  const closeWith = (line: Line): FileDocument => joined([...open.splice(0), line]);
  for await (const line of readLines(path, maxBytes)) {
    if (open.length > 0) {
      openBytes += line.place.byteLength + 1;
      const { text } = line;
      const isInside = text !== undefined && (open[0]!.text!.startsWith('[') || !REQUEST_LINE.test(text));
      if (isInside && openBytes <= maxBytes) {
        if (CLOSING_LINE.test(text)) yield closeWith(line);
        else open.push(line);
        continue;
      }
      yield* open.splice(0).map(single);
    }
    if (line.text !== undefined && OPENING_LINE.test(line.text)) {
      open = [line];
      openBytes = line.place.byteLength;
    } else {
      yield single(line);
    }
  }
  yield* open.map(single);
}

function single({ lineNumber, ...line }: Line): FileDocument {
  return { firstLine: lineNumber, lastLine: lineNumber, ...line };
}

/** The lines of one document, which follow one another, as one. */
function joined(lines: readonly Line[]): FileDocument {
  const [first, last] = [lines[0]!, lines.at(-1)!];
  const { offset } = first.place;
  return {
    firstLine: first.lineNumber,
    lastLine: last.lineNumber,
    place: { offset, byteLength: last.place.offset + last.place.byteLength - offset },
    text: lines.map(({ text }) => text).join('\n'),
  };
}

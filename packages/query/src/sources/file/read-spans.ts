import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson, OtlpFormatError } from '../../otlp/decode-otlp-json.ts';
import { readLines, readLinesAt } from './read-lines.ts';
import type { LinePlace } from './read-lines.ts';

/** A collector's batches are a few MB; beyond 256 MiB a line comes near what a string can hold. */
const MAX_LINE_BYTES = 268_435_456;

/** So many unreadable lines are named; more are counted. */
const MAX_LINES_NAMED = 10;

/** Spans that stand in one line, and where that is. */
export interface SpansOfLine {
  spans: SpanRecord[];
  place: LinePlace;
}

/**
 * Hands the spans of a file of OTLP/JSON lines to `take`, line by line. A line that cannot be read is passed over.
 * Returns a sentence for each of the first of those, then how many more there were. Rejects with the system's error
 * when the file cannot be read.
 */
export async function readSpans(path: string, take: (spans: SpansOfLine) => void): Promise<string[]> {
  const unread: string[] = [];
  let unnamed = 0;
  for await (const { lineNumber, place, text = '', unreadable } of readLines(path, MAX_LINE_BYTES)) {
    const spans = unreadable ?? decodeLine(text);
    if (typeof spans !== 'string') take({ spans, place });
    else if (unread.length < MAX_LINES_NAMED) unread.push(`Line ${lineNumber} of ${path} was skipped: ${spans}.`);
    else unnamed += 1;
  }
  if (unnamed > 0) unread.push(`${unnamed} more lines of ${path} were skipped.`);
  return unread;
}

/** The spans of the lines at `places`, in their order. Rejects with the system's error when the file cannot be read. */
export async function readSpansAt(path: string, places: readonly LinePlace[]): Promise<SpanRecord[]> {
  const lines = await readLinesAt(path, places);
  return lines.map(decodeLine).flatMap((spans) => (typeof spans === 'string' ? [] : spans));
}

/** Returns the spans, or why the line cannot be read. */
function decodeLine(text: string): SpanRecord[] | string {
  if (text.trim() === '') return [];
  try {
    return decodeOtlpJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return `it is no JSON (${error.message})`;
    if (error instanceof OtlpFormatError) return error.message;
    throw error;
  }
}

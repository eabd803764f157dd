import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson, OtlpFormatError } from '../../otlp/decode-otlp-json.ts';
import { readLines } from './read-lines.ts';

/** A collector's batches are a few MB; beyond 256 MiB a line comes near what a string can hold. */
const MAX_LINE_BYTES = 268_435_456;

/** So many unreadable lines are named; more are counted. */
const MAX_LINES_NAMED = 10;

/**
 * Hands the spans of a file of OTLP/JSON lines to `take`, in the order of the file.
 * A line that cannot be read is passed over. Returns a sentence for each of the first of those, then how many more there
 * were. Rejects with the system's error when the file cannot be read.
 */
export async function readSpans(path: string, take: (span: SpanRecord) => void): Promise<string[]> {
  const unread: string[] = [];
  let unnamed = 0;
  for await (const { lineNumber, text, unreadable } of readLines(path, MAX_LINE_BYTES)) {
    const reason = unreadable ?? readLine(text ?? '', take);
    if (reason === undefined) continue;
    if (unread.length < MAX_LINES_NAMED) unread.push(`Line ${lineNumber} of ${path} was skipped: ${reason}.`);
    else unnamed += 1;
  }
  if (unnamed > 0) unread.push(`${unnamed} more lines of ${path} were skipped.`);
  return unread;
}

/** Returns why the line cannot be read, or undefined. */
function readLine(text: string, take: (span: SpanRecord) => void): string | undefined {
  if (text.trim() === '') return undefined;
  let spans: SpanRecord[];
  try {
    spans = decodeOtlpJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return `it is no JSON (${error.message})`;
    if (error instanceof OtlpFormatError) return error.message;
    throw error;
  }
  spans.forEach(take);
  return undefined;
}

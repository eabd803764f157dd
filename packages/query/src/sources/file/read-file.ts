import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';

/** Position of a line in its file. */
export interface LinePlace {
  /** Offset of its first byte. */
  offset: number;
  byteLength: number;
}

/** One line of a file. */
export interface Line {
  /** 1-based. */
  lineNumber: number;
  place: LinePlace;
  /** Absent if the line is too long or not UTF-8; `unreadable` then has the reason. */
  text?: string;
  unreadable?: string;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1_048_576;

/**
 * Reads a file line by line, with one line in memory at a time. The text of a line longer than `maxLineBytes` is
 * skipped. Rejects with the system's error if the file cannot be read.
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

/** Reads the lines at `places` again. A line that is no longer UTF-8, because the file changed, is left out. */
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

/** Undefined if `bytes` are not UTF-8. A byte order mark is removed. */
function decodeUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString().replace(/^\ufeff/, '') : undefined;
}

/** One JSON document of a file: one line, or several if it is pretty-printed. */
export interface FileDocument {
  firstLine: number;
  lastLine: number;
  place: LinePlace;
  /** Absent if a line is too long or not UTF-8; `unreadable` then has the reason. */
  text?: string;
  unreadable?: string;
}

/** A line with only opening brackets and possibly a first key: `{`, `[`, `[{`, `{ "resourceSpans": [`. */
const OPENING_LINE = /^[[{](?:\s*"[^"]*"\s*:)?[\s[{]*$/;

/** A closing bracket that is not indented ends a document. */
const CLOSING_LINE = /^[}\]]\s*$/;

/** Such a line starts a new document, so the open one before it was truncated. */
const REQUEST_LINE = /^\{"resource(?:Spans|Metrics|Logs)"/;

/**
 * Reads a file of JSON documents, one per line or pretty-printed, in any mixture. A truncated document does not affect
 * the documents after it. Rejects with the system's error if the file cannot be read.
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

/** Joins consecutive lines to one document. */
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

/** A format that is not OTLP/JSON, and what to do with such a file. */
export interface ForeignFormat {
  looksLike: string;
  next: string;
}

const OTLP_WANTED = "Give a file of OTLP/JSON, as the collector's file exporter writes it.";

const BY_FIRST_BYTES: readonly (readonly [offset: number, bytes: string, format: ForeignFormat])[] = [
  [0, '1f8b', { looksLike: 'a gzip archive', next: 'Unpack it first: gunzip -k <file>.' }],
  [0, '28b52ffd', { looksLike: 'a zstd archive', next: 'Unpack it first: unzstd <file>.' }],
  [0, '504b0304', { looksLike: 'a zip archive', next: 'Unpack it first: unzip <file>.' }],
  [
    8,
    '4455434b',
    { looksLike: "a DuckDB file, as the embedded back end's store is", next: 'Open it with --store <file>.' },
  ],
  [0, '50415231', { looksLike: 'a Parquet file', next: OTLP_WANTED }],
];

/** The format that the first bytes of a file identify; undefined if they do not. */
export async function formatByFirstBytes(path: string): Promise<ForeignFormat | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    const hex = buffer.subarray(0, bytesRead).toString('hex');
    return BY_FIRST_BYTES.find(([offset, bytes]) => hex.startsWith(bytes, 2 * offset))?.[2];
  } finally {
    await file.close();
  }
}

type Keyed = Readonly<Record<string, unknown>>;

const BY_KEYS: readonly (readonly [fits: (document: Keyed) => boolean, format: ForeignFormat])[] = [
  [
    ({ data }) => Array.isArray(data) && data.some((trace) => isKeyed(trace) && 'spans' in trace),
    {
      looksLike: "the JSON of Jaeger's user interface",
      next: 'Read from Jaeger itself: --from http://<its address>:16686.',
    },
  ],
  [
    ({ result }) => isKeyed(result) && 'resourceSpans' in result,
    {
      looksLike: "a response of Jaeger's API v3",
      next: 'Extract the request: jq -c .result <file> > spans.jsonl.',
    },
  ],
  [
    ({ trace }) => isKeyed(trace) && 'resourceSpans' in trace,
    { looksLike: "a response of Tempo's API", next: 'Extract the request: jq -c .trace <file> > spans.jsonl.' },
  ],
  [
    ({ batches }) => Array.isArray(batches),
    {
      looksLike: "a response of Tempo's API",
      next: "Convert it to a request: jq -c '{resourceSpans: .batches}' <file> > spans.jsonl.",
    },
  ],
  [
    (document) => 'resource_spans' in document,
    {
      looksLike: 'OTLP with protobuf field names (resource_spans) instead of those of its JSON mapping (resourceSpans)',
      next: OTLP_WANTED,
    },
  ],
  [
    ({ context }) => isKeyed(context) && 'trace_id' in context,
    {
      looksLike: "output of OpenTelemetry's console exporter for Python",
      next: 'Export by OTLP instead: to a collector that writes a file, or to convotel serve.',
    },
  ],
  [
    (document) => 'resourceMetrics' in document || 'resourceLogs' in document,
    { looksLike: 'OTLP metrics or logs', next: 'Give a file of traces.' },
  ],
  [
    (document) => 'trace_id' in document || 'traceId' in document || 'traceID' in document,
    { looksLike: 'single spans in another format', next: OTLP_WANTED },
  ],
];

/** Maximum number of keys of an unknown document in a message. */
const MAX_KEYS = 5;

/** The format of a JSON document that is not an OTLP request, by its keys. */
export function formatByKeys(document: unknown): ForeignFormat {
  if (!isKeyed(document)) return { looksLike: 'JSON that is not an object', next: OTLP_WANTED };
  const known = BY_KEYS.find(([fits]) => fits(document))?.[1];
  if (known !== undefined) return known;
  const keys = Object.keys(document)
    .slice(0, MAX_KEYS)
    .map((key) => JSON.stringify(key));
  return { looksLike: `JSON with the keys ${keys.join(', ')}`, next: OTLP_WANTED };
}

/** Whether `document` is an OTLP request of any signal; an empty request has no key. */
export function isOtlpRequest(document: unknown): document is object {
  if (!isKeyed(document)) return false;
  const hasKey = ['resourceSpans', 'resourceMetrics', 'resourceLogs'].some((key) => key in document);
  return hasKey || Object.keys(document).length === 0;
}

export const NOT_JSON: ForeignFormat = { looksLike: 'something that is not JSON', next: OTLP_WANTED };

function isKeyed(value: unknown): value is Keyed {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { open } from 'node:fs/promises';

/** What a file or a document of it looks like, and what to do with it. */
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
    { looksLike: "a DuckDB file, as the embedded back end's store is", next: 'Give it as --store <file>.' },
  ],
  [0, '50415231', { looksLike: 'a Parquet file', next: OTLP_WANTED }],
];

/** What the first bytes of a file say; undefined where they say nothing. */
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
      looksLike: "an answer of Jaeger's API v3",
      next: 'Take the request out of it: jq -c .result <file> > spans.jsonl.',
    },
  ],
  [
    ({ trace }) => isKeyed(trace) && 'resourceSpans' in trace,
    { looksLike: "an answer of Tempo's API", next: 'Take the request out of it: jq -c .trace <file> > spans.jsonl.' },
  ],
  [
    ({ batches }) => Array.isArray(batches),
    {
      looksLike: "an answer of Tempo's API",
      next: "Make a request of it: jq -c '{resourceSpans: .batches}' <file> > spans.jsonl.",
    },
  ],
  [
    (document) => 'resource_spans' in document,
    {
      looksLike:
        'OTLP with the names of protobuf (resource_spans) instead of those of its JSON mapping (resourceSpans)',
      next: OTLP_WANTED,
    },
  ],
  [
    ({ context }) => isKeyed(context) && 'trace_id' in context,
    {
      looksLike: "what OpenTelemetry's console exporter for Python prints",
      next: 'Export by OTLP instead: to a collector that writes a file, or to convotel serve.',
    },
  ],
  [
    (document) => 'resourceMetrics' in document || 'resourceLogs' in document,
    { looksLike: 'OTLP metrics or logs', next: 'Give a file of traces.' },
  ],
  [
    (document) => 'trace_id' in document || 'traceId' in document || 'traceID' in document,
    { looksLike: 'single spans in a format of their own', next: OTLP_WANTED },
  ],
];

/** How many keys of an unknown document are named. */
const NAMED_KEYS = 5;

/** What a JSON document that is not an OTLP request looks like. */
export function formatByKeys(document: unknown): ForeignFormat {
  if (!isKeyed(document)) return { looksLike: 'JSON that is not an object', next: OTLP_WANTED };
  const known = BY_KEYS.find(([fits]) => fits(document))?.[1];
  if (known !== undefined) return known;
  const keys = Object.keys(document)
    .slice(0, NAMED_KEYS)
    .map((key) => JSON.stringify(key));
  return { looksLike: `JSON with the keys ${keys.join(', ')}`, next: OTLP_WANTED };
}

/** Whether it is an OTLP request of any signal; an empty one has no key. */
export function isOtlpRequest(document: unknown): document is object {
  if (!isKeyed(document)) return false;
  const hasKey = ['resourceSpans', 'resourceMetrics', 'resourceLogs'].some((key) => key in document);
  return hasKey || Object.keys(document).length === 0;
}

/** What is not JSON at all. */
export const NOT_JSON: ForeignFormat = { looksLike: 'something that is not JSON', next: OTLP_WANTED };

function isKeyed(value: unknown): value is Keyed {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

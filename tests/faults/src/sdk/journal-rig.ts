import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { INVALID_SPAN_CONTEXT } from '@opentelemetry/api';
import {
  Journal,
  JsonSpanEncoder,
  ProtobufSpanEncoder,
  readRecords,
  Redactor,
  SpanCounts,
} from '@convotel/sdk/internal';
import type { JournalFiles } from '@convotel/sdk/internal';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

const RESOURCE = resourceFromAttributes({ 'service.name': 'faults' });
const SCOPE = { name: 'faults', version: '1' };
let made = 0;

/** A finished step whose span id is `number` in hexadecimal. */
export function stepSpan(number: number, padding = 40): ReadableSpan {
  const traceId = '1'.padStart(32, '0');
  const spanId = number.toString(16).padStart(16, '0');
  return {
    name: 'stt',
    kind: 0,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    parentSpanContext: { ...INVALID_SPAN_CONTEXT, traceId, spanId: '2'.padStart(16, '0') },
    startTime: [1_791_000_000, number % 1_000_000_000],
    endTime: [1_791_000_001, number % 1_000_000_000],
    status: { code: 0 },
    attributes: { 'conversation.id': 'faults', 'conversation.step.name': 'stt', padding: 'x'.repeat(padding) },
    links: [],
    events: [],
    duration: [1, 0],
    ended: true,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** The number of a span that {@link stepSpan} made, out of its encoded bytes. */
export function numberOf(bytes: Buffer): number {
  const text = bytes.toString('latin1');
  const hex = text.startsWith('{') ? text.slice(56 + 12, 56 + 28) : bytes.subarray(20, 28).toString('hex');
  return Number.parseInt(hex, 16);
}

/** What OpenTelemetry does out of the box: a batch processor and an exporter with their defaults. */
export function stockProvider(endpoint: string): NodeTracerProvider {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
  return new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
}

export interface RigOptions {
  folder: string;
  files?: JournalFiles | undefined;
  maxBytes?: number | undefined;
  sync?: 'never' | 'interval' | 'conversation' | 'step' | undefined;
  encoding?: 'json' | 'protobuf' | undefined;
}

/** A journal with its books, as `startTracing` puts it together. */
export function openJournal({ folder, files, maxBytes, sync, encoding }: RigOptions): {
  journal: Journal;
  counts: SpanCounts;
  warnings: string[];
} {
  const counts = new SpanCounts();
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const redactor = new Redactor({ captureContent: 'none', otherContent: 'drop', errorMessages: 'redacted', warn });
  const encoder = encoding === 'protobuf' ? new ProtobufSpanEncoder(redactor) : new JsonSpanEncoder(redactor);
  const journal = new Journal({
    encoder,
    counts,
    warn,
    files,
    serviceName: 'faults',
    folder,
    maxBytes: maxBytes ?? 512 * 1024 * 1024,
    maxMemoryBytes: 96 * 1024 * 1024,
    maxBatchSpans: 512,
    maxQueueSpans: Infinity,
    sync: sync ?? 'never',
  });
  return { journal, counts, warnings };
}

/** Takes everything out of a journal as if a back end had accepted it; returns the numbers of the spans. */
export async function drain(journal: Journal): Promise<number[]> {
  await journal.adoption;
  const numbers: number[] = [];
  for (let idle = 0; idle < 8;) {
    const batch = await journal.next();
    if (batch === undefined) {
      idle += 1;
      continue;
    }
    idle = 0;
    for (const { bytes } of batch.spans) numbers.push(numberOf(bytes));
    batch.settle(batch.spans.length);
  }
  return numbers;
}

/** `finished + inherited − delivered − waiting − dropped`, which must be 0 at any time. */
export function imbalance(journal: Journal, counts: SpanCounts): number {
  const { finishedSpans, inheritedSpans, deliveredSpans, allDroppedSpans } = counts;
  return finishedSpans + inheritedSpans - deliveredSpans - journal.waitingSpans - allDroppedSpans;
}

/** Segments that end in the middle of a record, by the folder of the process that wrote them. */
export function tornRecordsIn(folder: string): Map<string, number> {
  const torn = new Map<string, number>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const salt = /-([0-9a-f]{8})\.seg$/.exec(file)?.[1];
    if (salt === undefined) continue;
    const bytes = readFileSync(join(folder, file));
    const end = [...readRecords(bytes, Number.parseInt(salt, 16))].at(-1)?.end ?? 0;
    const process = basename(dirname(file));
    torn.set(process, (torn.get(process) ?? 0) + (end === bytes.length ? 0 : 1));
  }
  return torn;
}

/** A folder of its own, deleted when `work` is over. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  made += 1;
  const folder = mkdtempSync(join(tmpdir(), `convotel-faults-${made}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

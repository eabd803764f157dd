import type { IncomingMessage } from 'node:http';
import type { SpanRecord } from '@convotel/query';
import { OtlpFormatError } from '@convotel/query/engine';
import { LocalError } from '../local-error.ts';
import { decodeTraceBody, type OtlpEncoding } from '../otlp/decode-body.ts';
import { BulkQueue, type ForegroundGate } from './foreground-gate.ts';
import { acceptedBody, encodingOf, HttpRefusal, MEDIA_TYPES, type PartialSuccess, type Route } from './http-answer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { readBody } from './read-body.ts';

/** `Retry-After` while the store cannot be written. */
const RETRY_AFTER_SECONDS = 5;

/** Stores spans; resolves when they are durable. */
export interface SpanSink {
  append(spans: readonly SpanRecord[]): Promise<void>;
}

/** The range of span end times that are stored, in Unix nanoseconds. */
export interface Admission {
  /** Spans that end earlier are rejected, because retention would delete them immediately. */
  readonly tooOldBeforeNs: bigint;
  /** Spans that end later are rejected: the clock is wrong, and they would be listed as the newest until then. */
  readonly futureAfterNs: bigint;
}

/** Counts, since the start, of what was answered with 200 but not stored. */
export interface RejectionCounts {
  tooOldSpans: number;
  futureSpans: number;
  /** Bodies that were valid JSON, but not OTLP. */
  foreignBodies: number;
  /** Number of requests. */
  metricsDiscarded: number;
  logsDiscarded: number;
}

export interface ReceivingOptions {
  maxBodyBytes: number;
  budget: MemoryBudget;
  gate: ForegroundGate;
}

/** `POST /v1/traces`: responds with 200 only after `sink` has stored the spans. Yields to questions. */
export function traceRoute(
  sink: SpanSink,
  admission: Admission,
  counts: RejectionCounts,
  { maxBodyBytes, budget, gate }: ReceivingOptions,
): Route {
  const queue = new BulkQueue(gate);
  return {
    method: 'POST',
    right: 'send',
    async handle(request) {
      const encoding = checkedEncoding(request);
      const body = await readBody(request, maxBodyBytes, budget);
      try {
        return await budget.whileDecoding(body.bytes.length, async () => {
          const spans = await queue.run(() => decode(body.bytes, encoding));
          const foreign = spans.length === 0 && encoding === 'json' ? foreignBody(body.bytes) : undefined;
          body.bytes = NOTHING;
          if (foreign !== undefined) {
            counts.foreignBodies += 1;
            return { contentType: MEDIA_TYPES[encoding], body: acceptedBody(encoding, foreign) };
          }
          const { kept, partialSuccess } = admitted(spans, admission, counts);
          await keep(sink, kept);
          return { contentType: MEDIA_TYPES[encoding], body: acceptedBody(encoding, partialSuccess) };
        });
      } finally {
        body.lease.release();
      }
    },
  };
}

/** Replaces a body after decoding, so that its memory is freed before the spans are stored. */
const NOTHING = Buffer.alloc(0);

/** `POST /v1/metrics` and `/v1/logs`: accepts and discards them, and calls `onDropped`. */
export function droppingRoute({ maxBodyBytes, budget }: ReceivingOptions, onDropped: () => void): Route {
  return {
    method: 'POST',
    right: 'send',
    async handle(request) {
      const encoding = checkedEncoding(request);
      (await readBody(request, maxBodyBytes, budget)).lease.release();
      onDropped();
      return { contentType: MEDIA_TYPES[encoding], body: acceptedBody(encoding) };
    },
  };
}

function checkedEncoding(request: IncomingMessage): OtlpEncoding {
  const encoding = encodingOf(request.headers['content-type']);
  if (encoding !== undefined) return encoding;
  throw new HttpRefusal(415, `the content type must be ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`);
}

function decode(body: Buffer, encoding: OtlpEncoding): SpanRecord[] {
  try {
    return decodeTraceBody(body, encoding);
  } catch (error) {
    if (error instanceof OtlpFormatError) throw new HttpRefusal(400, error.message, {}, { cause: error });
    throw error;
  }
}

/** The partial success for non-empty JSON that is not OTLP, which an exporter never sends. */
function foreignBody(body: Buffer): PartialSuccess | undefined {
  const sent = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  const names = Object.keys(sent);
  if (names.length === 0 || names.some((name) => name === 'resourceSpans' || name === 'resource_spans'))
    return undefined;
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name.slice(0, 40)));
  return {
    rejectedSpans: 0,
    errorMessage: `nothing was kept: the JSON has ${shown.join(', ')}${names.length > 3 ? ', …' : ''} and no "resourceSpans", so it is not OTLP`,
  };
}

/** Filters out the spans whose end time is out of range, and reports them. */
function admitted(
  spans: readonly SpanRecord[],
  { tooOldBeforeNs, futureAfterNs }: Admission,
  counts: RejectionCounts,
): { kept: readonly SpanRecord[]; partialSuccess: PartialSuccess | undefined } {
  const endOf = ({ startTimeUnixNano, durationNano }: SpanRecord): bigint => startTimeUnixNano + durationNano;
  let tooOld = 0;
  let future = 0;
  for (const span of spans) {
    const end = endOf(span);
    if (end < tooOldBeforeNs) tooOld += 1;
    else if (end > futureAfterNs) future += 1;
  }
  if (tooOld + future === 0) return { kept: spans, partialSuccess: undefined };
  counts.tooOldSpans += tooOld;
  counts.futureSpans += future;
  const reasons = [
    ...(tooOld === 0 ? [] : [`${tooOld} ended before ${timeText(tooOldBeforeNs)}, which is longer ago than is kept`]),
    ...(future === 0
      ? []
      : [`${future} end after ${timeText(futureAfterNs)}, which is in the future: check the clock`]),
  ];
  return {
    kept: spans.filter((span) => endOf(span) >= tooOldBeforeNs && endOf(span) <= futureAfterNs),
    partialSuccess: {
      rejectedSpans: tooOld + future,
      errorMessage: `of ${spans.length} spans, ${tooOld + future} were not kept: ${reasons.join('; ')}`,
    },
  };
}

function timeText(unixNano: bigint): string {
  return new Date(Number(unixNano / 1_000_000n)).toISOString();
}

async function keep(sink: SpanSink, spans: readonly SpanRecord[]): Promise<void> {
  try {
    await sink.append(spans);
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    if (error.code === 'SPAN_UNSTORABLE') throw new HttpRefusal(400, error.message, {}, { cause: error });
    throw new HttpRefusal(503, error.message, { 'retry-after': String(RETRY_AFTER_SECONDS) }, { cause: error });
  }
}

import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { EncodedSpans } from '../encoding/span-encoder.ts';
import type { Batch } from '../journal/backlog.ts';
import type { EncodedSpan } from '../journal/segment.ts';

/** Spans that are sent in one request: a batch, or a part of one that was split. */
export interface Parcel {
  spans: readonly EncodedSpan[];
  encoded: EncodedSpans;
  resource: string;
  settle: Batch['settle'];
  /** Counts batches in the order in which they were read. */
  number: number;
  serverErrors: number;
}

/** Groups spans by instrumentation scope, as an OTLP request requires. */
export function groupByScope(spans: readonly EncodedSpan[]): { scope: string; spans: Buffer[] }[] {
  const groups = new Map<string, Buffer[]>();
  for (const { scope, bytes } of spans) {
    const group = groups.get(scope);
    if (group === undefined) groups.set(scope, [bytes]);
    else group.push(bytes);
  }
  return [...groups].map(([scope, grouped]) => ({ scope, spans: grouped }));
}

/** The partial success in the response to an accepted request (OTLP, Partial Success); zero if it cannot be parsed. */
export function partialSuccessOf(
  { encoded }: Parcel,
  answer: Uint8Array | undefined,
): { rejectedSpans: number; errorMessage: string } {
  const nothing = { rejectedSpans: 0, errorMessage: '' };
  if (answer === undefined || answer.length === 0) return nothing;
  try {
    const { partialSuccess } =
      encoded.contentType === 'application/json'
        ? (JSON.parse(Buffer.from(answer).toString()) as { partialSuccess?: Record<string, unknown> | null })
        : (ProtobufTraceSerializer.deserializeResponse(answer) as { partialSuccess?: Record<string, unknown> });
    const rejectedSpans = Number(partialSuccess?.['rejectedSpans'] ?? 0);
    const message = partialSuccess?.['errorMessage'];
    const errorMessage = typeof message === 'string' ? message : '';
    return {
      rejectedSpans: Number.isSafeInteger(rejectedSpans) && rejectedSpans > 0 ? rejectedSpans : 0,
      errorMessage,
    };
  } catch {
    return nothing;
  }
}

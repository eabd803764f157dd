import { ATTRIBUTE, isFailure, SCHEMA_VERSION, STEP_TIMING_PREFIX } from '@convotel/conventions';
import type { SpanRecord } from '@convotel/query';

/**
 * One `ExportTraceServiceRequest` in OTLP/JSON with `spans` in their order. Where a span's outcome follows from its
 * status, some of them say it by the status alone.
 */
export function encodeOtlpJson(spans: readonly SpanRecord[]): string {
  return JSON.stringify({ resourceSpans: spans.map((span) => encodeResourceSpan(span)) });
}

function encodeResourceSpan(span: SpanRecord): object {
  return {
    resource: {
      attributes: [
        ...attributes({
          [ATTRIBUTE.serviceName]: span.serviceName,
          [ATTRIBUTE.samplingRatio]: span.samplingRatio,
        }),
        ...(span.rest?.resourceAttributes ?? []),
      ],
    },
    scopeSpans: [{ scope: { name: 'test' }, spans: [encodeSpan(span)] }],
  };
}

function encodeSpan(span: SpanRecord): object {
  const start = span.startTimeUnixNano;
  // A clock that stepped back inside a span leaves an end before the start, which readers take for no duration.
  const steppedBackNano = span.durationNano === 0n && span.spanId.endsWith('5') ? 1_000_000n : 0n;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    name: span.name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + span.durationNano - steppedBackNano),
    attributes: [
      ...attributes({
        [ATTRIBUTE.outcome]: isOutcomeInStatus(span) ? undefined : span.outcome,
        [ATTRIBUTE.recovered]: span.isRecovered ? true : undefined,
        [ATTRIBUTE.conversationId]: span.conversationId,
        [ATTRIBUTE.sessionId]: span.sessionId,
        [ATTRIBUTE.workflow]: span.workflow,
        [ATTRIBUTE.stepName]: span.step,
        [ATTRIBUTE.stepDepth]: span.depth > 0 ? span.depth : undefined,
        [ATTRIBUTE.stepAttempt]: span.attempt,
        [ATTRIBUTE.errorType]: span.errorType,
        [ATTRIBUTE.inputText]: span.inputText,
        [ATTRIBUTE.outputText]: span.outputText,
        [ATTRIBUTE.inputChars]: span.inputChars,
        [ATTRIBUTE.outputChars]: span.outputChars,
        [ATTRIBUTE.timeToFirstOutput]: span.timeToFirstOutputSeconds,
        [ATTRIBUTE.responseLatency]: span.responseLatencySeconds,
        [ATTRIBUTE.stepTimeout]: span.timeoutSeconds,
        [ATTRIBUTE.stepChunks]: span.chunks,
        [ATTRIBUTE.provider]: span.provider,
        [ATTRIBUTE.requestModel]: span.model,
        [ATTRIBUTE.inputTokens]: span.inputTokens,
        [ATTRIBUTE.outputTokens]: span.outputTokens,
        [ATTRIBUTE.audioDuration]: span.audioSeconds,
        [ATTRIBUTE.schemaVersion]: span.role === 'root' ? SCHEMA_VERSION : undefined,
        ...Object.fromEntries(
          Object.entries(span.timingsSeconds ?? {}).map(([part, seconds]) => [`${STEP_TIMING_PREFIX}${part}`, seconds]),
        ),
      }),
      ...(span.rest?.attributes ?? []),
    ],
    status: isFailure(span.outcome) ? { code: 2, message: span.errorMessage ?? '' } : {},
  };
}

function isOutcomeInStatus({ role, outcome, spanId }: SpanRecord): boolean {
  return (outcome === 'completed' || outcome === 'failed') && (role === 'other' || /[02468]$/.test(spanId));
}

function attributes(values: Record<string, string | number | boolean | undefined>): object[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: encode(value) }]));
}

function encode(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

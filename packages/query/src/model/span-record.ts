import { ATTRIBUTE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';

/**
 * One span, as every source provides it: fields that answers use are typed, the rest is kept unchanged.
 *
 * Ids are lower-case hex (32 digits for traces, 16 for spans). Times are Unix nanoseconds, durations whole nanoseconds.
 * Fields that the span does not have are absent.
 */
export interface SpanRecord {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: bigint;
  /** End − start; 0 if the span's end is before its start. */
  durationNano: bigint;

  /** `root`: has the outcome of a conversation; `step`: counted in answers; `other`: counted only as a span read. */
  role: 'root' | 'step' | 'other';
  /** The step's name; present if and only if `role` is `step`. */
  step?: string;
  /** Nesting depth of a step: 0 for an outermost one, and for spans that are not steps. */
  depth: number;
  /** Present from the second attempt on. */
  attempt?: number;
  /** From `conversation.outcome`; without it `failed` if the status is ERROR, else `completed`. */
  outcome: Outcome;
  /** Whether the span was still open at a crash and was ended by the next start of the program. */
  isRecovered: boolean;

  conversationId?: string;
  sessionId?: string;
  /** Name of the pipeline, `gen_ai.workflow.name`. */
  workflow?: string;
  /** `service.name` of the resource. */
  serviceName?: string;
  /** `conversation.sampling.ratio` of the resource. */
  samplingRatio?: number;

  errorType?: string;
  /** The status message of a span with status ERROR. */
  errorMessage?: string;
  inputText?: string;
  outputText?: string;
  inputChars?: number;
  outputChars?: number;
  timeToFirstOutputSeconds?: number;
  /**
   * From the end of the user's input to the first output that the user perceives; on a step that responds, else on the
   * root.
   */
  responseLatencySeconds?: number;
  timeoutSeconds?: number;
  /** Number of chunks of a streamed step. */
  chunks?: number;
  /** `gen_ai.provider.name`, such as `openai`. */
  provider?: string;
  /** `gen_ai.request.model`. */
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Seconds of audio that the step received or produced. */
  audioSeconds?: number;
  /** Durations of named parts of the step, in seconds. */
  timingsSeconds?: Record<string, number>;

  /** All other fields of the span, for stores that keep whole spans, and for grouping by attribute. */
  rest?: SpanRest;
}

/** The fields of a span without a typed field in {@link SpanRecord}, as in OTLP/JSON (proto3 JSON mapping). */
export interface SpanRest {
  kind?: number;
  traceState?: string;
  flags?: number;
  status?: { code?: number; message?: string };
  /** Attributes without a field in {@link SpanRecord}, as OTLP `KeyValue`s. */
  attributes?: unknown[];
  events?: unknown[];
  links?: unknown[];
  /** Attributes of the resource without a field in {@link SpanRecord}, as OTLP `KeyValue`s; shared between spans. */
  resourceAttributes?: unknown[];
  scope?: { name?: string; version?: string };
}

/** How a value is stored: as a string, a 31-bit integer, or a floating-point number. */
export type SpanFieldKind = 'text' | 'integer' | 'double';

/** Optional fields of a {@link SpanRecord} that hold one string or number. */
type OptionalField = {
  [Field in keyof SpanRecord]-?: undefined extends SpanRecord[Field]
    ? NonNullable<SpanRecord[Field]> extends string | number
      ? Field
      : never
    : never;
}[keyof SpanRecord];

/** One field of a span: the attribute it is read from, its name in JSON, and its column in a store. */
export interface SpanField {
  /** Name in a {@link SpanRecord}, and in JSON. */
  field: OptionalField | 'depth';
  kind: SpanFieldKind;
  /** Minimum of a number, or minimum length of a string; a value below it stays among the span's other attributes. */
  min: number;
  /** Maximum of a number. @defaultValue none */
  max?: number;
  column: string;
  /** The attribute of the span. Absent if the value comes from the resource or the status. */
  attribute?: string;
  /** Whether the value belongs to the resource, which many spans share. */
  isOfResource?: true;
}

/**
 * The fields of a span that hold one string or number. The OTLP reader, the JSON of answers, and the columns and rows
 * of the store are derived from this table: a new attribute needs a line here and a field in `SpanRecord`.
 */
export const SPAN_FIELDS: readonly SpanField[] = [
  text('conversationId', 'conversation_id', ATTRIBUTE.conversationId),
  text('step', 'step', ATTRIBUTE.stepName),
  { field: 'depth', kind: 'integer', min: 1, column: 'depth', attribute: ATTRIBUTE.stepDepth },
  { field: 'attempt', kind: 'integer', min: 2, column: 'attempt', attribute: ATTRIBUTE.stepAttempt },
  text('sessionId', 'session_id', ATTRIBUTE.sessionId),
  text('workflow', 'workflow', ATTRIBUTE.workflow),
  text('errorType', 'error_type', ATTRIBUTE.errorType),
  { field: 'errorMessage', kind: 'text', min: 1, column: 'error_message' },
  { ...text('inputText', 'input_text', ATTRIBUTE.inputText), min: 0 },
  { ...text('outputText', 'output_text', ATTRIBUTE.outputText), min: 0 },
  count('inputChars', 'input_chars', ATTRIBUTE.inputChars),
  count('outputChars', 'output_chars', ATTRIBUTE.outputChars),
  number('timeToFirstOutputSeconds', 'time_to_first_output_s', ATTRIBUTE.timeToFirstOutput),
  // Clocks of two machines that differ can make a latency negative, or years long; such values are ignored.
  { ...number('responseLatencySeconds', 'response_latency_s', ATTRIBUTE.responseLatency), min: 0, max: 1e9 },
  { ...number('timeoutSeconds', 'timeout_s', ATTRIBUTE.stepTimeout), min: 0 },
  count('chunks', 'chunks', ATTRIBUTE.stepChunks),
  text('provider', 'provider', ATTRIBUTE.provider),
  text('model', 'model', ATTRIBUTE.requestModel),
  count('inputTokens', 'input_tokens', ATTRIBUTE.inputTokens),
  count('outputTokens', 'output_tokens', ATTRIBUTE.outputTokens),
  { ...number('audioSeconds', 'audio_s', ATTRIBUTE.audioDuration), min: 0 },
  { field: 'serviceName', kind: 'text', min: 0, column: 'service_name', isOfResource: true },
  { field: 'samplingRatio', kind: 'double', min: -Infinity, column: 'sampling_ratio', isOfResource: true },
];

/** The {@link SPAN_FIELDS} that are read from an attribute of the span. */
export const SPAN_FIELD_BY_ATTRIBUTE: ReadonlyMap<string, SpanField> = new Map(
  SPAN_FIELDS.flatMap((field) => (field.attribute === undefined ? [] : [[field.attribute, field]])),
);

function text(field: OptionalField, column: string, attribute: string): SpanField {
  return { field, kind: 'text', min: 1, column, attribute };
}

function count(field: OptionalField, column: string, attribute: string): SpanField {
  return { field, kind: 'integer', min: 0, column, attribute };
}

function number(field: OptionalField, column: string, attribute: string): SpanField {
  return { field, kind: 'double', min: -Infinity, column, attribute };
}

/** Two spans are copies of one another if they have the same key: trace id, span id and start. */
export function copyKeyOf({ traceId, spanId, startTimeUnixNano }: SpanRecord): string {
  return `${traceId}${spanId}${startTimeUnixNano}`;
}

/**
 * Of two copies of one span, whether `later`, which was read after `earlier`, is the one to keep: the one that ends
 * later, then the one that is not recovered, then the one read last.
 */
export function supersedes(later: SpanRecord, earlier: SpanRecord): boolean {
  const laterEnd = later.startTimeUnixNano + later.durationNano;
  const earlierEnd = earlier.startTimeUnixNano + earlier.durationNano;
  if (laterEnd !== earlierEnd) return laterEnd > earlierEnd;
  return earlier.isRecovered || !later.isRecovered;
}

/** The spans of each trace, without duplicates. `spans` must be in the order of reading. */
export function keepOneCopy(spans: Iterable<SpanRecord>): Map<string, SpanRecord[]> {
  const copiesByTrace = new Map<string, Map<string, SpanRecord>>();
  for (const span of spans) {
    let copies = copiesByTrace.get(span.traceId);
    if (copies === undefined) copiesByTrace.set(span.traceId, (copies = new Map()));
    // Spans with equal ids nearly always are copies, so the start becomes part of the key only if it differs.
    const first = copies.get(span.spanId);
    const isFirstStart = first === undefined || first.startTimeUnixNano === span.startTimeUnixNano;
    const key = isFirstStart ? span.spanId : `${span.spanId} ${span.startTimeUnixNano}`;
    const earlier = copies.get(key);
    if (earlier === undefined || supersedes(span, earlier)) copies.set(key, span);
  }
  return new Map([...copiesByTrace].map(([traceId, copies]) => [traceId, [...copies.values()]]));
}

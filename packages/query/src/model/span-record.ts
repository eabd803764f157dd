import { ATTRIBUTE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';

/**
 * One span as every source hands it over: what answers touch is typed, the rest is kept as it came.
 *
 * Ids are lower-case hex (32 digits for traces, 16 for spans). Times are Unix nanoseconds, durations whole nanoseconds.
 * What the span does not say is absent.
 */
export interface SpanRecord {
  traceId: string;
  spanId: string;
  /** Absent on a span without a parent. */
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: bigint;
  /** End − start; 0 where the span says that it ended before it started. */
  durationNano: bigint;

  /** `root`: carries the outcome of a conversation; `step`: counted by analytics; `other`: only counted as read. */
  role: 'root' | 'step' | 'other';
  /** The step's name; present exactly where `role` is `step`. */
  step?: string;
  /** 0 for an outermost step (and whatever is no step), 1, 2, … inside another step. */
  depth: number;
  /** From the second attempt on. */
  attempt?: number;
  /** From `conversation.outcome`; a span without it is `failed` for status ERROR, else `completed`. */
  outcome: Outcome;
  /** Closed after a crash by the next start of the program. */
  isRecovered: boolean;

  conversationId?: string;
  sessionId?: string;
  /** The pipeline's name. */
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
  /** From the end of the user's input to the first output that the user perceives; on a step that answers, else the root. */
  responseLatencySeconds?: number;
  /** The time that the step was allowed. */
  timeoutSeconds?: number;
  /** Chunks that a streamed step handed on. */
  chunks?: number;
  /** `gen_ai.provider.name`, such as `openai`. */
  provider?: string;
  /** `gen_ai.request.model`. */
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Audio that the step was given or made. */
  audioSeconds?: number;
  /** Named parts of the step, in seconds; absent where there is none. */
  timingsSeconds?: Record<string, number>;

  /** Whatever else the span said, for stores that keep spans whole; no answer reads it. */
  rest?: SpanRest;
}

/** The parts of a span that no answer reads, in the shapes of OTLP/JSON (proto3 JSON mapping). */
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

/** How a value is kept: a text, a whole number of 31 bits, a floating-point number. */
export type SpanFieldKind = 'text' | 'integer' | 'double';

/** Fields of a {@link SpanRecord} that hold one text or number and may be absent. */
type OptionalField = {
  [Field in keyof SpanRecord]-?: undefined extends SpanRecord[Field]
    ? NonNullable<SpanRecord[Field]> extends string | number
      ? Field
      : never
    : never;
}[keyof SpanRecord];

/** One field of a span: the attribute it is read from, its name in JSON, and its column in a store. */
export interface SpanField {
  /** In a {@link SpanRecord}, and in JSON. */
  field: OptionalField | 'depth';
  kind: SpanFieldKind;
  /** Smallest number that counts, or shortest text; a smaller one stays among the span's other attributes. */
  min: number;
  /** Largest number that counts. @defaultValue none */
  max?: number;
  column: string;
  /** The attribute of the span. Absent where the value comes from the resource or the status. */
  attribute?: string;
  /** True where the value belongs to the resource, which many spans share. */
  isOfResource?: true;
}

/**
 * The fields of a span that hold one text or number. The reader of OTLP, the JSON of answers, the columns of the store
 * and its rows all follow this table: a new attribute takes a line here and a field in `SpanRecord`.
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
  // Where the clocks of two machines make a latency negative, or years long, it is not one.
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

/** {@link SPAN_FIELDS} that are read from an attribute of the span. */
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

/** What two spans must share to be copies of one another: trace id, span id and start. */
export function copyKeyOf({ traceId, spanId, startTimeUnixNano }: SpanRecord): string {
  return `${traceId}${spanId}${startTimeUnixNano}`;
}

/**
 * Whether `later`, read after `earlier`, is the copy of the same span that counts: the one that ends later, then the one
 * that is not recovered, then the one read last.
 */
export function supersedes(later: SpanRecord, earlier: SpanRecord): boolean {
  const laterEnd = later.startTimeUnixNano + later.durationNano;
  const earlierEnd = earlier.startTimeUnixNano + earlier.durationNano;
  if (laterEnd !== earlierEnd) return laterEnd > earlierEnd;
  return earlier.isRecovered || !later.isRecovered;
}

/** The spans of each trace, each once, however often it was delivered. `spans` is in the order of reading. */
export function keepOneCopy(spans: Iterable<SpanRecord>): Map<string, SpanRecord[]> {
  const copiesByTrace = new Map<string, Map<string, SpanRecord>>();
  for (const span of spans) {
    let copies = copiesByTrace.get(span.traceId);
    if (copies === undefined) copiesByTrace.set(span.traceId, (copies = new Map()));
    // Hardly ever are two spans with equal ids no copies, so that most need no key of their own.
    const first = copies.get(span.spanId);
    const isFirstStart = first === undefined || first.startTimeUnixNano === span.startTimeUnixNano;
    const key = isFirstStart ? span.spanId : `${span.spanId} ${span.startTimeUnixNano}`;
    const earlier = copies.get(key);
    if (earlier === undefined || supersedes(span, earlier)) copies.set(key, span);
  }
  return new Map([...copiesByTrace].map(([traceId, copies]) => [traceId, [...copies.values()]]));
}

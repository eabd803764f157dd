import { ATTRIBUTE } from '@convotel/conventions';
import type { SpanRecord } from './span-record.ts';

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

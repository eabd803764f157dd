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

/**
 * Span and resource attributes. Durations are in seconds (double), lengths in UTF-16 code units.
 *
 * `gen_ai.*`, `session.id`, `error.type` and `service.*` are OpenTelemetry's own names
 * (semantic conventions, Generative AI and Session); everything else starts with `conversation.`.
 */
export const ATTRIBUTE = {
  /** On root and steps, set at start: the conversation id (one exchange). */
  conversationId: 'conversation.id',
  /** On the root: {@link SCHEMA_VERSION}. */
  schemaVersion: 'conversation.schema.version',
  /** On root and steps, set at end: one of {@link OUTCOMES}. */
  outcome: 'conversation.outcome',
  /** On root and steps, only `true`: closed after a crash by the next start of the program. */
  recovered: 'conversation.recovered',

  /** On a step, set at start: equals the span name; marks a span as a step. */
  stepName: 'conversation.step.name',
  /** On a step inside another step, set at start: 1, 2, …; a step without it is outermost. */
  stepDepth: 'conversation.step.depth',
  /** On a step: 1-based, present from the second attempt on. */
  stepAttempt: 'conversation.step.attempt',
  /** On an interrupted step and root, if the program sets it: what caused the interruption; low cardinality. */
  interruptionReason: 'conversation.step.interruption.reason',
  /** On a step with a limit: the time allowed, in seconds. */
  stepTimeout: 'conversation.step.timeout',
  /** On a step: seconds from its start to its first chunk. */
  timeToFirstOutput: 'conversation.step.time_to_first_output',
  /**
   * On a step that can answer the user, else on the root: seconds from the end of the user's input to the first output
   * that the user perceives. The value of a conversation is the smallest of its steps, else that of the root.
   */
  responseLatency: 'conversation.response_latency',
  /** On a streamed step: number of chunks that were passed on. */
  stepChunks: 'conversation.step.chunks',
  /** On a step: length of the input text, even if the text is not recorded. */
  inputChars: 'conversation.input.chars',
  /** On a step: length of the output text, even if the text is not recorded. */
  outputChars: 'conversation.output.chars',
  /** On a step: seconds of audio that it received or produced. */
  audioDuration: 'conversation.audio.duration',
  /** On a step, only if content capture is enabled: the input text. */
  inputText: 'conversation.pii.input_text',
  /** On a step, only if content capture is enabled: the output text. */
  outputText: 'conversation.pii.output_text',

  /** On root and steps: the session or thread that groups exchanges. */
  sessionId: 'session.id',
  /** The same value as {@link ATTRIBUTE.sessionId}, under the name of the GenAI conventions. */
  genAiConversationId: 'gen_ai.conversation.id',
  /** On the root, and on every step whose process knows it: name of the pipeline. */
  workflow: 'gen_ai.workflow.name',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  /** On a step whose result contains it: the model that answered. */
  responseModel: 'gen_ai.response.model',
  /** On a step whose result contains it: why the model stopped, an array with one value defined by the provider. */
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  /** On a failed, timed-out or abandoned step or root: class or code of the error; low cardinality. */
  errorType: 'error.type',

  /** On the resource: name of the program. */
  serviceName: 'service.name',
  /** On the resource: identifies one process of the program. */
  serviceInstanceId: 'service.instance.id',
  /** On the resource, only if the program samples: fraction of conversations that are sampled, 0 to 1. */
  samplingRatio: 'conversation.sampling.ratio',
} as const;

/** Prefix of the duration of a part of a step, in seconds: `conversation.step.timing.<part>`, such as `queue_wait`. */
export const STEP_TIMING_PREFIX = 'conversation.step.timing.';

/** Value of `error.type` for an unknown error (OpenTelemetry semantic conventions, error attributes). */
export const UNKNOWN_ERROR_TYPE = '_OTHER';

/** Value of `gen_ai.operation.name` on the root. */
export const CONVERSATION_OPERATION = 'invoke_workflow';

/** Name of the root span of every conversation. */
export const CONVERSATION_SPAN_NAME = 'conversation';

/** Value of {@link ATTRIBUTE.schemaVersion} for this version of the conventions. */
export const SCHEMA_VERSION = '1';

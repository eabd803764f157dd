export {
  ATTRIBUTE,
  CONVERSATION_OPERATION,
  CONVERSATION_SPAN_NAME,
  SCHEMA_VERSION,
  STEP_TIMING_PREFIX,
  UNKNOWN_ERROR_TYPE,
} from './attributes.ts';
export { codedError, ERROR_CODES } from './coded-errors.ts';
export type { CodedError, CodedErrorClass, CodedErrorName, ErrorCodeOf, ErrorMeaning } from './coded-errors.ts';
export {
  conversationIdsOf,
  isConversationId,
  MAX_CONVERSATION_ID_LENGTH,
  neverZero,
  newConversationId,
  rootSpanIdOf,
  traceIdOf,
} from './conversation-id.ts';
export type { ConversationIds } from './conversation-id.ts';
export {
  DURATION_BUCKET_BOUNDS_SECONDS,
  METRIC,
  METRIC_ATTRIBUTE,
  STEP_SUM_DIFFERS_FROM_PCT,
  STEP_WARNING_MS,
  THRESHOLD,
} from './metrics.ts';
export { FAILURE_OUTCOMES, isFailure, isOutcome, OUTCOMES, worstOutcome } from './outcomes.ts';
export type { Outcome } from './outcomes.ts';
export { CAPTURE_CONTENT_VARIABLE, processRegistry, processSettings } from './process-registry.ts';
export type {
  ClassifiedStep,
  ClassifyError,
  ProcessRegistry,
  ProcessSettings,
  WantedRoot,
} from './process-registry.ts';
export { OPERATION_BY_STEP_KIND, stepKindOf } from './step-kinds.ts';
export type { StepKind } from './step-kinds.ts';

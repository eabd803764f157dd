export { ATTRIBUTE, CONVERSATION_OPERATION, STEP_TIMING_PREFIX, UNKNOWN_ERROR_TYPE } from './attributes.ts';
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
export { DURATION_BUCKET_BOUNDS_SECONDS, METRIC, METRIC_ATTRIBUTE } from './metrics.ts';
export { FAILURE_OUTCOMES, isFailure, isOutcome, OUTCOMES, worstOutcome } from './outcomes.ts';
export type { Outcome } from './outcomes.ts';
export { CAPTURE_CONTENT_VARIABLE, processSettings } from './process-settings.ts';
export type { ProcessSettings } from './process-settings.ts';
export { CONVERSATION_SPAN_NAME, SCHEMA_VERSION } from './spans.ts';
export { OPERATION_BY_STEP_KIND, stepKindOf } from './step-kinds.ts';
export type { StepKind } from './step-kinds.ts';
export { STEP_SUM_DIFFERS_FROM_PCT, STEP_WARNING_MS, THRESHOLD } from './thresholds.ts';

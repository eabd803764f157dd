export { ATTRIBUTE, CONVERSATION_OPERATION, STEP_TIMING_PREFIX, UNKNOWN_ERROR_TYPE } from './attributes.ts';
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
export { CAPTURE_CONTENT_VARIABLE, processRegistry, processSettings } from './process-registry.ts';
export type {
  ClassifiedStep,
  ClassifyError,
  ProcessRegistry,
  ProcessSettings,
  WantedRoot,
} from './process-registry.ts';
export { prometheusBucketLabelOf, prometheusNameOf, SPAN_METRIC, SPAN_METRIC_LABEL } from './prometheus-names.ts';
export { CONVERSATION_SPAN_NAME, SCHEMA_VERSION } from './spans.ts';
export { STEP_PHRASES, stepKindOf } from './step-kinds.ts';
export type { StepKind, StepPhrases } from './step-kinds.ts';
export { THRESHOLD, WALL_DIFFERS_FROM_PCT } from './thresholds.ts';

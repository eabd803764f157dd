// Setup
export { startTracing } from './start-tracing.ts';
export { TracingOptionsError } from './settings/tracing-options.ts';
export type {
  CaptureContent,
  JournalSettings,
  SyncPolicy,
  TracingOptions,
  TracingOptionsErrorCode,
} from './settings/tracing-options.ts';
export type { DeadlineOptions, DeliveryReport, TelemetryReport, Tracing } from './tracing.ts';

// Redaction
export { redactErrorMessage } from './redaction/patterns.ts';
export type { TextPlace } from './encoding/sendable.ts';

// Ids
export { keyedId } from './ids/replaced-ids.ts';

// For applications that create their own tracer provider
export { ConversationIdGenerator } from './ids/conversation-tracer-provider.ts';
export { ConversationSampler } from './ids/conversation-tracer-provider.ts';
export { convotelSpanProcessor } from './setup/joined-tracing.ts';
export { ConversationMetrics } from './metrics/conversation-metrics.ts';
export type { ConversationMetricsOptions } from './metrics/conversation-metrics.ts';
export { RedactionProcessor } from './redaction/redactor.ts';
export type { MessageFilter } from './redaction/redactor.ts';

export type { DeliveryReport } from './delivery/delivery.ts';
export { redactErrorMessage } from './redaction/redact-error-message.ts';
export { TracingOptionsError } from './settings/tracing-options.ts';
export type { TracingOptions, TracingOptionsErrorCode } from './settings/tracing-options.ts';
export { startTracing } from './start-tracing.ts';
export type { DeadlineOptions, Tracing } from './tracing-handle.ts';

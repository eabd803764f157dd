import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';

/** Settings of `startTracing`. Each wins over the `OTEL_*` variable that says the same. */
export interface TracingOptions {
  /** Name of the program. @defaultValue `OTEL_SERVICE_NAME`, else `unknown_service:node` */
  serviceName?: string;
  /** Further attributes of the resource, such as `service.version`; `OTEL_RESOURCE_ATTRIBUTES` adds to them. */
  resourceAttributes?: Attributes;
  /** Where OTLP/HTTP is received; `/v1/traces` and `/v1/metrics` are appended. @defaultValue `OTEL_EXPORTER_OTLP_*`, else `http://localhost:4318` */
  endpoint?: string;
  /** Headers of every request. @defaultValue `OTEL_EXPORTER_OTLP_*HEADERS` */
  headers?: Readonly<Record<string, string>>;
  /** Whether input and output texts may be written to spans. @defaultValue `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `false` */
  captureContent?: boolean;
  /** Share of conversations that are kept, 0 to 1; a conversation is kept whole or not at all. @defaultValue `OTEL_TRACES_SAMPLER`, else all */
  samplingRatio?: number;
  /** Whether metrics are sent. @defaultValue `true`, unless `OTEL_METRICS_EXPORTER` is `none` */
  metrics?: boolean;
  /** Whether durations are sent as histograms too, for back ends without a span-metrics connector. @defaultValue `false` */
  durationMetrics?: boolean;
  /** `none` keeps the messages of errors in the process. @defaultValue `'redacted'` */
  errorMessages?: 'redacted' | 'none';
  /** Masks what must not leave the process in an error's message. @defaultValue {@link redactErrorMessage} */
  redactErrorMessage?: (message: string) => string;
  /** Hears warnings for people. @defaultValue `console.warn`, which is standard error */
  warn?: (message: string) => void;
}

/** Codes of {@link TracingOptionsError}. */
export type TracingOptionsErrorCode = ErrorCodeOf<'TracingOptionsError'>;

/** An option of `startTracing` that cannot be right. A wrong environment variable is only warned about. */
export class TracingOptionsError extends codedError('TracingOptionsError') {}

/** @throws {@link TracingOptionsError} for an endpoint that is no http(s) address, and a ratio outside of 0 to 1. */
export function checkTracingOptions({ endpoint, samplingRatio }: TracingOptions): void {
  if (endpoint !== undefined && !isHttpAddress(endpoint)) {
    throw new TracingOptionsError(
      'INVALID_ENDPOINT',
      `endpoint must be an http:// or https:// address, got ${JSON.stringify(endpoint)}`,
    );
  }
  if (samplingRatio !== undefined && !(samplingRatio >= 0 && samplingRatio <= 1)) {
    throw new TracingOptionsError('OPTION_OUT_OF_RANGE', `samplingRatio must be from 0 to 1, got ${samplingRatio}`);
  }
}

function isHttpAddress(text: unknown): boolean {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The address of one signal below `endpoint`; undefined leaves it to the environment. */
export function signalUrl(endpoint: string | undefined, path: 'v1/traces' | 'v1/metrics'): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/${path}`;
}

import {
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ProxyTracerProvider,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Attributes, Context, Span, SpanOptions, TimeInput, Tracer, TracerProvider } from '@opentelemetry/api';
import { ATTRIBUTE, isFailure, processRegistry, UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { VERSION } from '../version.ts';
import { reportInternalError, warnOnce } from './warnings.ts';

/** Name of this package's instrumentation scope. */
const TRACER_NAME = '@convotel/tracing';

/**
 * A tracer from the first of these that is set: `provider`, the recorder of a test, the private provider, the
 * registered provider. If the provider throws, a tracer whose spans are not recorded.
 */
export function safeTracer(provider: TracerProvider | undefined): Tracer {
  try {
    const { recorder, privateProvider } = processRegistry();
    const chosen =
      provider ?? (recorder as TracerProvider | undefined) ?? (privateProvider as TracerProvider | undefined);
    return (chosen ?? trace).getTracer(TRACER_NAME, VERSION);
  } catch (error) {
    reportInternalError('getting a tracer from the provider', error);
    return new ProxyTracerProvider().getTracer(TRACER_NAME, VERSION);
  }
}

/** Whether {@link safeTracer} uses the private provider, whose spans must never become OpenTelemetry's active span. */
export function isPrivate(provider: TracerProvider | undefined): boolean {
  const { recorder, privateProvider } = processRegistry();
  return provider === undefined && recorder === undefined && privateProvider !== undefined;
}

const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

/** Whether there is a provider for conversations without the option `tracerProvider`. */
export function hasProvider(): boolean {
  const { recorder, privateProvider } = processRegistry();
  if (recorder !== undefined || privateProvider !== undefined) return true;
  try {
    const registered = trace.getTracerProvider();
    return (registered instanceof ProxyTracerProvider ? registered.getDelegate() : registered) !== NO_PROVIDER;
  } catch (error) {
    reportInternalError('getting the registered provider', error);
    return false;
  }
}

/** Whether the span context of `span` is valid; without a provider it is not. */
export function isInTrace(span: Span): boolean {
  try {
    return isSpanContextValid(span.spanContext());
  } catch (error) {
    reportInternalError('reading the context of a span', error);
    return false;
  }
}

/** Starts a span; a non-recording one if the tracer throws or returns none. */
export function startSpan(tracer: Tracer, name: string, options: SpanOptions, parent: Context): Span {
  try {
    const span: Span | undefined = tracer.startSpan(name, options, parent);
    if (span !== undefined && span !== null) return span;
    reportInternalError('the tracer returned no span');
  } catch (error) {
    if (isStackOverflow(error)) throw error;
    reportInternalError('starting a span', error);
  }
  return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
}

/** How a span ended: the outcome and, for a failure, the error's type and message. */
export interface SpanEnding {
  outcome: Outcome;
  errorType?: string | undefined;
  message?: string | undefined;
}

/**
 * Writes the ending and convotel's `own` attributes, then the `program`'s, and ends the span. The order matters,
 * because OpenTelemetry keeps the first 128 attributes (by default) and silently drops the rest. A failure gets the
 * status ERROR with the error's message, and an `error.type`; any other ending leaves the status unset. Exception
 * events are not used.
 */
export function endSpan(
  span: Span,
  own: Attributes,
  program: Attributes | undefined,
  ending: SpanEnding,
  endTime: TimeInput | undefined,
): void {
  try {
    if (span.isRecording()) {
      own[ATTRIBUTE.outcome] = ending.outcome;
      if (isFailure(ending.outcome)) {
        const { message } = ending;
        own[ATTRIBUTE.errorType] =
          ending.errorType ?? (ending.outcome === 'abandoned' ? 'abandoned' : UNKNOWN_ERROR_TYPE);
        span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
      }
      span.setAttributes(own);
      if (program !== undefined) setProgramAttributes(span, program);
    }
  } catch (error) {
    if (isStackOverflow(error)) throw error;
    reportInternalError('setting the attributes of a span', error);
  }
  try {
    span.end(endTime);
  } catch (error) {
    if (isStackOverflow(error)) throw error;
    reportInternalError('ending a span', error);
  }
}

/** Whether the stack overflowed; the callers try again once there is stack left. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

function setProgramAttributes(span: Span, program: Attributes): void {
  span.setAttributes(program);
  const { droppedAttributesCount } = span as { droppedAttributesCount?: number };
  if (droppedAttributesCount === undefined || droppedAttributesCount === 0) return;
  warnOnce(
    'dropped attributes',
    `a span had more attributes than OpenTelemetry keeps, and ${droppedAttributesCount} of the program's own were dropped. ` +
      'Set fewer, or raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT (128 by default).',
  );
}

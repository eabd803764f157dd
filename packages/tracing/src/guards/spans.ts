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
import { reportTrouble, warnOnce } from './warnings.ts';

/** Name under which the spans of this package are made (OpenTelemetry: instrumentation scope). */
const TRACER_NAME = '@convotel/tracing';

/**
 * The tracer of `provider`, of a recording test, of the private provider, or of the registered one; one that does nothing
 * when it throws.
 */
export function safeTracer(provider: TracerProvider | undefined): Tracer {
  try {
    const { recorder, privateProvider } = processRegistry();
    const chosen =
      provider ?? (recorder as TracerProvider | undefined) ?? (privateProvider as TracerProvider | undefined);
    return (chosen ?? trace).getTracer(TRACER_NAME, VERSION);
  } catch (error) {
    reportTrouble('asking the provider for a tracer', error);
    return new ProxyTracerProvider().getTracer(TRACER_NAME, VERSION);
  }
}

/** Whether {@link safeTracer} asks the private provider, whose spans no other tool may see as the active one. */
export function isPrivate(provider: TracerProvider | undefined): boolean {
  const { recorder, privateProvider } = processRegistry();
  return provider === undefined && recorder === undefined && privateProvider !== undefined;
}

const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

/** Whether spans that are started without a provider of their own go anywhere. */
export function hasProvider(): boolean {
  const { recorder, privateProvider } = processRegistry();
  if (recorder !== undefined || privateProvider !== undefined) return true;
  try {
    const registered = trace.getTracerProvider();
    return (registered instanceof ProxyTracerProvider ? registered.getDelegate() : registered) !== NO_PROVIDER;
  } catch (error) {
    reportTrouble('asking for the registered provider', error);
    return false;
  }
}

/** Whether `span` belongs to a trace; without a provider it does not. */
export function isInTrace(span: Span): boolean {
  try {
    return isSpanContextValid(span.spanContext());
  } catch (error) {
    reportTrouble('asking a span for its trace', error);
    return false;
  }
}

/** Starts a span; one that records nothing when the tracer throws or returns none. */
export function startSpan(tracer: Tracer, name: string, options: SpanOptions, parent: Context): Span {
  try {
    const span: Span | undefined = tracer.startSpan(name, options, parent);
    if (span !== undefined && span !== null) return span;
    reportTrouble('the tracer returned no span');
  } catch (error) {
    if (isEndOfStack(error)) throw error;
    reportTrouble('starting a span', error);
  }
  return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
}

/** How a span ended, as its attributes and status say it. */
export interface SpanEnding {
  outcome: Outcome;
  errorType?: string | undefined;
  message?: string | undefined;
}

/**
 * Writes the ending among convotel's `own` attributes, then the `program`'s, and ends the span: OpenTelemetry keeps
 * the first 128 (by default) and drops the rest silently. A failure has status ERROR with the error's message and an
 * `error.type`; every other ending leaves the status unset, and there are no exception events.
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
    if (isEndOfStack(error)) throw error;
    reportTrouble('writing what is known about a step', error);
  }
  try {
    span.end(endTime);
  } catch (error) {
    if (isEndOfStack(error)) throw error;
    reportTrouble('ending a span', error);
  }
}

/** What the engine throws there; then it is tried again when there is more of it. */
export function isEndOfStack(error: unknown): boolean {
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

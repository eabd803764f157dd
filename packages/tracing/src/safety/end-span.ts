import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, Span, TimeInput } from '@opentelemetry/api';
import { ATTRIBUTE, isFailure, UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { reportTrouble } from './report-trouble.ts';

/** How a span ended, as its attributes and status say it. */
export interface SpanEnding {
  outcome: Outcome;
  errorType?: string;
  message?: string;
}

/**
 * Writes `attributes` and the ending to `span` and ends it. A failure has status ERROR with the error's message and an
 * `error.type`; every other ending leaves the status unset, and there are no exception events.
 */
export function endSpan(span: Span, attributes: Attributes, ending: SpanEnding, endTime: TimeInput | undefined): void {
  try {
    if (span.isRecording()) {
      attributes[ATTRIBUTE.outcome] = ending.outcome;
      if (isFailure(ending.outcome)) {
        attributes[ATTRIBUTE.errorType] =
          ending.errorType ?? (ending.outcome === 'abandoned' ? 'abandoned' : UNKNOWN_ERROR_TYPE);
        const { message } = ending;
        span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
      }
      span.setAttributes(attributes);
    }
  } catch (error) {
    reportTrouble('writing what is known about a step', error);
  }
  try {
    span.end(endTime);
  } catch (error) {
    reportTrouble('ending a span', error);
  }
}

import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';

/** Where an exception event keeps text (OpenTelemetry semantic conventions, exceptions). */
const EXCEPTION_TEXTS = ['exception.message', 'exception.stacktrace'] as const;
const MAX_MESSAGE_LENGTH = 16_384;

/** What becomes of a message; undefined when nothing of it may leave. */
export type MessageFilter = (message: string) => string | undefined;

/**
 * For a tracer provider with an exporter of its own: passes the messages of errors through a filter, on every span,
 * before any exporter reads it. A filter that throws loses the message, not the span. What `startTracing` sends itself is
 * redacted on a copy and needs no such processor.
 */
export class RedactionProcessor implements SpanProcessor {
  readonly #filter: MessageFilter;
  readonly #warn: (message: string) => void;
  #hasWarned = false;

  constructor(filter: MessageFilter, warn: (message: string) => void) {
    this.#filter = filter;
    this.#warn = warn;
  }

  onStart(): void {}

  /** The last moment at which a span can be changed. */
  onEnding(span: Span): void {
    const { message } = span.status;
    if (message !== undefined) {
      const kept = this.#apply(message);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(kept !== undefined && { message: kept }) });
    }
    for (const { attributes } of span.events) {
      if (attributes !== undefined) this.#redactTexts(attributes);
    }
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #redactTexts(attributes: Attributes): void {
    for (const name of EXCEPTION_TEXTS) {
      const text = attributes[name];
      if (typeof text !== 'string') continue;
      const kept = this.#apply(text);
      if (kept === undefined) delete attributes[name];
      else attributes[name] = kept;
    }
  }

  #apply(message: string): string | undefined {
    try {
      const kept: unknown = this.#filter(message.slice(0, MAX_MESSAGE_LENGTH));
      return typeof kept === 'string' ? kept : undefined;
    } catch (error) {
      if (!this.#hasWarned) {
        this.#hasWarned = true;
        // Only the name: the error's own message may quote what was to be redacted.
        const name = error instanceof Error ? error.name : typeof error;
        this.#warn(`convotel: the filter of a RedactionProcessor threw ${name}; such messages are left out`);
      }
      return undefined;
    }
  }
}

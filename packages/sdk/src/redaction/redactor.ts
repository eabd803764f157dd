import { ATTRIBUTE, processSettings } from '@convotel/conventions';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { AttributeTreatment, NameInside, SpanText, TextPlace } from '../encoding/sendable.ts';
import type { CaptureContent } from '../settings/tracing-options.ts';
import { holdsContent } from './content-attributes.ts';
import { isListedSecret, namesSecret, SECRET_MASK } from './named-secrets.ts';
import { redactFamiliarText } from './patterns.ts';

export interface RedactorOptions {
  captureContent: CaptureContent;
  otherContent: 'drop' | 'keep';
  errorMessages: 'redacted' | 'none';
  /** The option `redact` of `startTracing`, called after the built-in patterns. */
  redact?: ((text: string, where: TextPlace) => string) | undefined;
  warn: (message: string) => void;
}

/** Maximum length of truncated content after redaction, in UTF-16 code units. */
export const TRUNCATED_LENGTH = 1000;
/** Text is redacted this far past the truncation point, so that a secret across it is recognised. */
const REDACTION_OVERLAP = 256;
/** Maximum length of content on a span if it is truncated later. */
export const CAPTURED_LENGTH = TRUNCATED_LENGTH + REDACTION_OVERLAP;
/** Replaces a text for which the option `redact` failed. */
const REPLACEMENT = '[redacted]';
/** Error messages and stack traces are truncated to this length before redaction. */
const MAX_MESSAGE_LENGTH = 16_384;

const CONTENT = new Set<string>([ATTRIBUTE.inputText, ATTRIBUTE.outputText]);
/** Subject to the option `replaceIds`. */
const IDS = new Set<string>([ATTRIBUTE.conversationId, ATTRIBUTE.sessionId, ATTRIBUTE.genAiConversationId]);
/** Keys whose values stay unchanged. Values of convotel's other keys may contain text from a user or a server. */
const AS_IS = new Set<string>([
  ATTRIBUTE.schemaVersion,
  ATTRIBUTE.outcome,
  ATTRIBUTE.stepName,
  ATTRIBUTE.serviceName,
  ATTRIBUTE.serviceInstanceId,
]);
const ERROR_TEXTS = new Set(['exception.message', 'exception.stacktrace']);
const OTHER_ERROR_TEXTS = new Set([
  ...ERROR_TEXTS,
  'error.message',
  'error.stack',
  'message',
  'otel.status_description',
]);

/** Decides which texts of a span may be exported: content only if enabled, everything else redacted. */
export class Redactor implements SpanText {
  readonly #options: RedactorOptions;
  #hasWarned = false;

  constructor(options: RedactorOptions) {
    this.#options = options;
  }

  get isRepeatable(): boolean {
    return this.#options.redact === undefined;
  }

  treatmentOf(key: string, part: TextPlace['part']): AttributeTreatment {
    if (CONTENT.has(key)) return { action: 'cut', key };
    if (AS_IS.has(key)) return { action: 'as-is', key };
    // Replaced by the current setting: a `startTracing` that joins this setup may change it later.
    if (IDS.has(key)) return { action: 'redact', key };
    const { captureContent, otherContent, errorMessages } = this.#options;
    const keepsContent = captureContent !== 'none' || otherContent === 'keep';
    if (errorMessages === 'none' && OTHER_ERROR_TEXTS.has(key)) return { action: 'omit', key };
    if (holdsContent(key, part === 'event')) {
      return keepsContent
        ? { action: captureContent === 'truncated' ? 'cut' : 'redact', key }
        : { action: 'omit', key };
    }
    // Keys may contain data too, but `redact` is only called for values.
    return { action: 'redact', key: redactFamiliarText(key) };
  }

  redact(text: string, place: TextPlace, name?: NameInside): string | undefined {
    if (this.#options.errorMessages === 'none' && (place.part === 'status' || ERROR_TEXTS.has(place.key ?? ''))) {
      return undefined;
    }
    if (place.key !== undefined && IDS.has(place.key)) return processSettings().replaceId?.(text) ?? text;
    if (place.key !== undefined && text !== '' && namesSecret(place.key)) return SECRET_MASK;
    if (name !== undefined && isNamedSecret(text, name)) return SECRET_MASK;
    const isMessage = place.part === 'status' || place.part === 'event';
    return this.#masked(
      isMessage && text.length > MAX_MESSAGE_LENGTH ? text.slice(0, MAX_MESSAGE_LENGTH) : text,
      place,
    );
  }

  content(text: string, place: TextPlace): string | undefined {
    const masked = this.#masked(text, place);
    // A `startTracing` that joins this setup may set `maxContentLength` later.
    const isTruncated =
      this.#options.captureContent === 'truncated' || processSettings().maxContentLength !== undefined;
    if (!isTruncated || text.length <= TRUNCATED_LENGTH) return masked;
    // The text on the span may have been truncated at CAPTURED_LENGTH (minus one for a surrogate pair). Its end may then
    // be part of a secret, and is removed even if masking has shortened the text. A very short result of `redact` is a
    // replacement, and stays.
    const mayBeCut = text.length >= CAPTURED_LENGTH - 1 && masked.length > REDACTION_OVERLAP;
    const length = Math.min(TRUNCATED_LENGTH, masked.length - (mayBeCut ? REDACTION_OVERLAP : 0));
    return length < masked.length
      ? `${masked.slice(0, splitsSurrogatePair(masked, length) ? length - 1 : length)}…`
      : masked;
  }

  #masked(text: string, place: TextPlace): string {
    const masked = redactFamiliarText(text);
    const { redact } = this.#options;
    if (redact === undefined) return masked;
    try {
      const kept: unknown = redact(masked, place);
      if (typeof kept === 'string') return kept;
      this.#warnOnce(`returned ${kept === null ? 'null' : typeof kept} instead of a string`);
    } catch (error) {
      this.#warnOnce(`threw ${error instanceof Error ? error.name : typeof error}`);
    }
    return REPLACEMENT;
  }

  /** `what` must not contain an error's message, which may quote the text to redact. */
  #warnOnce(what: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.warn(
      `convotel: the option redact ${what}; such texts are sent as ${REPLACEMENT}. This warning appears once.`,
    );
  }
}

function isNamedSecret(text: string, { text: name, isKey }: NameInside): boolean {
  return isKey ? text !== '' && namesSecret(name) : isListedSecret(text, name);
}

/** Whether truncating to `length` would split a surrogate pair. */
function splitsSurrogatePair(text: string, length: number): boolean {
  return /[\uD800-\uDBFF]/.test(text.charAt(length - 1));
}

/** Text attributes of an exception event (OpenTelemetry semantic conventions, exceptions). */
const EXCEPTION_TEXTS = ['exception.message', 'exception.stacktrace'] as const;

/** Returns the message to export, or undefined to remove it. */
export type MessageFilter = (message: string) => string | undefined;

/**
 * For a tracer provider with other exporters: applies a filter to the error messages of every span before any exporter
 * reads it. If the filter throws, the message is removed. Not needed for what `startTracing` sends, which is redacted on
 * a copy.
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

  /** The last hook in which a span can be changed. */
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
        // Not the error's message, which may quote the text to redact.
        const name = error instanceof Error ? error.name : typeof error;
        this.#warn(`convotel: the filter of a RedactionProcessor threw ${name}; such messages are left out`);
      }
      return undefined;
    }
  }
}

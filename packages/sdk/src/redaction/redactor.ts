import { ATTRIBUTE, processSettings } from '@convotel/conventions';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { AttributeTreatment, SpanText, TextPlace } from '../encoding/sendable.ts';
import type { CaptureContent } from '../settings/tracing-options.ts';
import { holdsContent } from './content-attributes.ts';
import { namesSecret, SECRET_MASK } from './named-secrets.ts';
import { redactFamiliarText } from './patterns.ts';

export interface RedactorOptions {
  captureContent: CaptureContent;
  otherContent: 'drop' | 'keep';
  errorMessages: 'redacted' | 'none';
  /** The program's own redactor, after the built-in patterns. */
  redact?: ((text: string, where: TextPlace) => string) | undefined;
  warn: (message: string) => void;
}

/** `truncated` keeps this many UTF-16 code units of a captured text, after redaction. */
export const TRUNCATED_LENGTH = 1000;
/** How much more is redacted, so that a secret at the cut is seen whole. */
const BEYOND_THE_CUT = 256;
/** When content is truncated, a span need not hold more of a text. */
export const SEEN_LENGTH = TRUNCATED_LENGTH + BEYOND_THE_CUT;
/** Replaces a text for which the program's own redactor failed. */
const UNJUDGED = '[redacted]';
/** Messages and stacks are cut before they are redacted; content is redacted whole. */
const MAX_MESSAGE_LENGTH = 16_384;

const CONTENT = new Set<string>([ATTRIBUTE.inputText, ATTRIBUTE.outputText]);
/** Ids that a program chooses; it may have them replaced. */
const IDS = new Set<string>([ATTRIBUTE.conversationId, ATTRIBUTE.sessionId, ATTRIBUTE.genAiConversationId]);
/** Keys that convotel writes and needs unchanged. Texts under its other keys may come from a program or a server. */
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

/** Decides which texts of a span may leave: content only when switched on, everything else masked. */
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
    // Read for each span: a `startTracing` that joins a setup may set how ids are replaced after this was created.
    if (IDS.has(key)) return { action: 'redact', key };
    const { captureContent, otherContent, errorMessages } = this.#options;
    const keepsContent = captureContent !== 'none' || otherContent === 'keep';
    if (errorMessages === 'none' && OTHER_ERROR_TEXTS.has(key)) return { action: 'omit', key };
    if (holdsContent(key, part === 'event')) {
      return keepsContent
        ? { action: captureContent === 'truncated' ? 'cut' : 'redact', key }
        : { action: 'omit', key };
    }
    // Keys are chosen by the program; only the patterns are applied to them, so that `redact` need not expect keys.
    return { action: 'redact', key: redactFamiliarText(key) };
  }

  redact(text: string, place: TextPlace): string | undefined {
    if (this.#options.errorMessages === 'none' && (place.part === 'status' || ERROR_TEXTS.has(place.key ?? ''))) {
      return undefined;
    }
    if (place.key !== undefined && IDS.has(place.key)) return processSettings().replaceId?.(text) ?? text;
    if (place.key !== undefined && text !== '' && namesSecret(place.key)) return SECRET_MASK;
    const isMessage = place.part === 'status' || place.part === 'event';
    return this.#masked(
      isMessage && text.length > MAX_MESSAGE_LENGTH ? text.slice(0, MAX_MESSAGE_LENGTH) : text,
      place,
    );
  }

  content(text: string, place: TextPlace): string | undefined {
    const masked = this.#masked(text, place);
    // A `startTracing` that joins a setup may have set this after it was created.
    const isTruncated =
      this.#options.captureContent === 'truncated' || processSettings().maxContentLength !== undefined;
    if (!isTruncated || text.length <= TRUNCATED_LENGTH) return masked;
    // A span holds no more than this of a text (one unit less where that would halve a character): its last words may
    // be half of a secret, so they do not leave, however short masks have made the text. A few words are a replacement.
    const mayBeCut = text.length >= SEEN_LENGTH - 1 && masked.length > BEYOND_THE_CUT;
    const length = Math.min(TRUNCATED_LENGTH, masked.length - (mayBeCut ? BEYOND_THE_CUT : 0));
    return length < masked.length ? `${masked.slice(0, isHalf(masked, length) ? length - 1 : length)}…` : masked;
  }

  #masked(text: string, place: TextPlace): string {
    const masked = redactFamiliarText(text);
    const { redact } = this.#options;
    if (redact === undefined) return masked;
    try {
      const kept: unknown = redact(masked, place);
      if (typeof kept === 'string') return kept;
      this.#say(`returned ${kept === null ? 'null' : typeof kept} instead of a text`);
    } catch (error) {
      this.#say(`threw ${error instanceof Error ? error.name : typeof error}`);
    }
    return UNJUDGED;
  }

  /** Only the kind of the failure: a message may quote the text to redact. */
  #say(what: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.warn(
      `convotel: the option redact ${what}; such texts are sent as ${UNJUDGED}. This warning appears once.`,
    );
  }
}

/** Whether a cut at `length` would split a surrogate pair. */
function isHalf(text: string, length: number): boolean {
  return /[\uD800-\uDBFF]/.test(text.charAt(length - 1));
}

/** Where an exception event keeps text (OpenTelemetry semantic conventions, exceptions). */
const EXCEPTION_TEXTS = ['exception.message', 'exception.stacktrace'] as const;

/** The message that may leave; undefined when nothing of it may. */
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

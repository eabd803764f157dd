import type { ConversationIds } from './conversation-id.ts';
import type { Outcome } from './outcomes.ts';

/** The step whose error is classified. */
export interface ClassifiedStep {
  readonly name: string;
  /** 1-based. */
  readonly attempt: number;
}

/**
 * Returns the outcome of a step (or, without `step`, of the conversation itself) that ended with `error`, or undefined
 * to apply the default rules of the conventions. A classifier that throws is ignored.
 */
export type ClassifyError = (error: unknown, step: ClassifiedStep | undefined) => Outcome | undefined;

/** Process-wide settings, set by `startTracing`. */
export interface ProcessSettings {
  /** Whether input and output texts are recorded on spans. @defaultValue the environment variable, else `false` */
  captureContent?: boolean | undefined;
  /** Maximum length of recorded input and output texts, in UTF-16 code units; unlimited if unset. */
  maxContentLength?: number | undefined;
  /**
   * Replaces conversation and session ids wherever they are written or hashed. Returns a valid conversation id, the same
   * in every process, and its own results unchanged. Never throws.
   */
  replaceId?: ((id: string) => string) | undefined;
  /** Classifies errors that the classifiers of the step and the conversation do not. */
  classifyError?: ClassifyError | undefined;
  /** Steps and conversations that are open for longer end as `abandoned`, in milliseconds. @defaultValue `600_000` */
  maxOpenMs?: number | undefined;
  /** Receives warnings. @defaultValue OpenTelemetry's diagnostics logger, else standard error */
  warn?: ((message: string) => void) | undefined;
}

/** The ids for the root span that is being started. Each is used once. */
export interface WantedRoot {
  readonly conversationId: string;
  /** Set if another process handed the root off; else derived from the conversation id. */
  ids?: ConversationIds | undefined;
  isTraceIdTaken: boolean;
  isSpanIdTaken: boolean;
}

/** State that is shared by all copies of convotel's packages in one process. */
export interface ProcessRegistry {
  readonly settings: ProcessSettings;
  /** Kinds of warnings that were already printed. */
  readonly warned: Set<string>;
  /** Called with a span that will never end in this process, because its conversation was handed off. */
  readonly releaseListeners: Set<(span: object) => void>;
  /** Set only while a root span is being started. */
  wantedRoot?: WantedRoot | undefined;
  /** Ends all open spans as `abandoned`, with `reason` as the status message. Set by `@convotel/tracing`. */
  abandonOpen?: ((reason?: string) => void) | undefined;
  /** Open conversations and steps; private to `@convotel/tracing`. */
  openWork?: unknown;
  /** Contexts of a program without a context manager; private to `@convotel/tracing`. */
  contexts?: unknown;
  /**
   * Creates the spans of conversations instead of the registered provider, which sees none of them. Set by `startTracing`
   * with the option `provider: 'private'`.
   */
  privateProvider?: unknown;
  /** Creates the spans of conversations instead of any provider while a test records them. */
  recorder?: unknown;
}

/** Other tools may reach the registry by this key: `globalThis[Symbol.for('convotel')]?.abandonOpen?.(reason)`. */
const KEY = Symbol.for('convotel');

/**
 * The registry of this process. It is a property of `globalThis`, so that it is shared by the ESM and CommonJS copies
 * of a package, copies after a hot reload, and `@convotel/sdk` and `@convotel/tracing`, which do not import each other.
 */
export function processRegistry(): ProcessRegistry {
  const holder = globalThis as { [KEY]?: Partial<Mutable<ProcessRegistry>> };
  const registry = (holder[KEY] ??= {});
  // An older version may have created it without these fields.
  registry.settings ??= {};
  registry.warned ??= new Set();
  registry.releaseListeners ??= new Set();
  return registry as ProcessRegistry;
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** The settings of this process. Mutable. */
export function processSettings(): ProcessSettings {
  return processRegistry().settings;
}

/** Environment variable that enables content capture with `true`; shared with OpenTelemetry's GenAI instrumentations. */
export const CAPTURE_CONTENT_VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';

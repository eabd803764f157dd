import type { ConversationIds } from './conversation-id.ts';
import type { Outcome } from './outcomes.ts';

/** The step whose error is classified. */
export interface ClassifiedStep {
  readonly name: string;
  /** 1-based. */
  readonly attempt: number;
}

/**
 * Says how an error ended a step (or, without `step`, the conversation itself); undefined leaves it to the rules of
 * the conventions. One that throws is ignored.
 */
export type ClassifyError = (error: unknown, step: ClassifiedStep | undefined) => Outcome | undefined;

/** What the program's author decided once for the whole process; `startTracing` writes it. */
export interface ProcessSettings {
  /** Whether input and output texts may be written to spans; when unset, the environment decides, and by default not. */
  captureContent?: boolean | undefined;
  /** Longest input or output text that is written, in UTF-16 code units; when unset, texts are written whole. */
  maxContentLength?: number | undefined;
  /**
   * Stands in for conversation and session ids wherever they are written or hashed. Never throws; what it returns is a
   * conversation id. The same id becomes the same in every process, and its own results stay as they are.
   */
  replaceId?: ((id: string) => string) | undefined;
  /** Judges errors after the classifiers of step and conversation. */
  classifyError?: ClassifyError | undefined;
  /** Steps and conversations that are open for longer end as `abandoned`, in milliseconds. @defaultValue `600_000` */
  maxOpenMs?: number | undefined;
  /** Receives warnings for people. When unset: OpenTelemetry's diagnostics logger, else standard error. */
  warn?: ((message: string) => void) | undefined;
}

/** The ids that the root span which is being started should have. Each is handed out once. */
export interface WantedRoot {
  readonly conversationId: string;
  /** Set beforehand where another process handed the root off; else they follow from the conversation id. */
  ids?: ConversationIds | undefined;
  isTraceIdTaken: boolean;
  isSpanIdTaken: boolean;
}

/** State that all copies of convotel's packages in one process share. */
export interface ProcessRegistry {
  readonly settings: ProcessSettings;
  /** Kinds of warnings that were given already. */
  readonly warned: Set<string>;
  /** Told about a span that will never end in this process, because its conversation was handed off. */
  readonly releaseListeners: Set<(span: object) => void>;
  /** Set only while a root span is being started. */
  wantedRoot?: WantedRoot | undefined;
  /** Ends everything that is open as `abandoned`; `reason` becomes the message. Set by `@convotel/tracing`. */
  abandonOpen?: ((reason?: string) => void) | undefined;
  /** What is open, held by `@convotel/tracing`. */
  openWork?: unknown;
  /** Contexts in a program without a context manager, held by `@convotel/tracing`. */
  contexts?: unknown;
  /**
   * Makes the spans of conversations in place of the registered provider, which sees none of them: `startTracing` with
   * the option `provider: 'private'`.
   */
  privateProvider?: unknown;
  /** Receives the spans of conversations instead of any provider while a test records them. */
  recorder?: unknown;
}

/** Other tools may reach the registry by this key: `globalThis[Symbol.for('convotel')]?.abandonOpen?.(reason)`. */
const KEY = Symbol.for('convotel');

/**
 * The registry of this process. It hangs on `globalThis`, so that the ESM and the CommonJS copy of a package, a copy
 * that a hot reload made, and `@convotel/sdk` beside `@convotel/tracing` agree without importing one another.
 */
export function processRegistry(): ProcessRegistry {
  const holder = globalThis as { [KEY]?: Partial<Mutable<ProcessRegistry>> };
  const registry = (holder[KEY] ??= {});
  // Another version may have made it, with less in it.
  registry.settings ??= {};
  registry.warned ??= new Set();
  registry.releaseListeners ??= new Set();
  return registry as ProcessRegistry;
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** The settings of this process; change them in place. */
export function processSettings(): ProcessSettings {
  return processRegistry().settings;
}

/** Environment variable that switches content capture on with `true` (OpenTelemetry GenAI instrumentations share it). */
export const CAPTURE_CONTENT_VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';

import type { Attributes, TracerProvider } from '@opentelemetry/api';
import type { Outcome } from '@convotel/conventions';
import type { RecordedStep, Step, StepOptions } from '../step/step-options.ts';

/** What is known about a conversation when it begins. */
export interface ConversationOptions {
  /** Names this one exchange, 1 to 128 characters. @defaultValue a new `YYYYMMDD_HHMMSS_<16 hex>` */
  conversationId?: string;
  /** Name of the pipeline, from a small fixed set. */
  workflow?: string;
  /** The session or thread that groups exchanges of one user. */
  sessionId?: string;
  /** Attributes of the program's own, on the root span. */
  attributes?: Attributes;
  /**
   * Whether input and output texts are written to spans.
   * @defaultValue what `startTracing` was told, else `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `false`
   */
  captureContent?: boolean;
  /** Makes the spans. @defaultValue the provider that is registered with OpenTelemetry */
  tracerProvider?: TracerProvider;
}

/** A conversation, as the function that holds it sees it. None of its functions throws on its own account. */
export interface Conversation {
  /** The conversation id. */
  readonly id: string;
  /**
   * Runs one step of the pipeline inside a span, which ends when what `run` returns is over.
   * Returns exactly what `run` returns and throws exactly what it throws; `run` is called once, whatever happens to tracing.
   */
  step<Result>(name: string, run: (step: Step) => Result): Result;
  step<Result>(name: string, options: StepOptions, run: (step: Step) => Result): Result;
  /** Records a step that is already over. */
  recordStep(name: string, recorded: RecordedStep): void;
  /** Sets attributes of the program's own on the root span. */
  set(attributes: Attributes): void;
}

/** What a conversation in handle form is told when it begins. */
export interface StartConversationOptions extends ConversationOptions {
  /** For a conversation of the past: `Date` or milliseconds since the epoch. @defaultValue now */
  startTime?: Date | number;
}

/** What a conversation in handle form is told when it ends. */
export interface EndConversationOptions {
  /** `Date` or milliseconds since the epoch. @defaultValue now, or when its last open step is over */
  endTime?: Date | number;
  /** @defaultValue what `error` says, else the worst among the last attempts of its outermost steps */
  outcome?: Outcome;
  /** What ended the conversation, where it was an error. */
  error?: unknown;
}

/** A conversation in handle form: the program says when it is over. */
export interface ConversationHandle extends Conversation {
  /** Calls `run` with this conversation as the active one, so that the free `step()` belongs to it. Returns what it returns. */
  run<Result>(run: (conversation: Conversation) => Result): Result;
  /** Ends the conversation, once: its root span ends when no step is open any more. */
  end(options?: EndConversationOptions): void;
}

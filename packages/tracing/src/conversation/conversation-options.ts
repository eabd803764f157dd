import type { Attributes, TracerProvider } from '@opentelemetry/api';
import type { ClassifyError, Outcome } from '@convotel/conventions';
import type { Carrier, RecordedStep, Step, StepHandle, StepOptions } from '../step/step-options.ts';

/** What is known about a conversation in another process whose steps are added here. */
export interface JoinConversationOptions {
  /** Name of the pipeline, from a small fixed set. @defaultValue what the carrier says */
  workflow?: string | undefined;
  /** The session or thread that groups exchanges of one user. @defaultValue what the carrier says */
  sessionId?: string | undefined;
  /**
   * Whether input and output texts are written to spans.
   * @defaultValue what `startTracing` was told, else `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `false`
   */
  captureContent?: boolean | undefined;
  /** Makes the spans. @defaultValue the private one of `startTracing`, else the one that is registered with OpenTelemetry */
  tracerProvider?: TracerProvider | undefined;
  /** Aborts the work of all steps: their `signal` follows it, and errors that arrive after it was aborted interrupt. */
  signal?: AbortSignal | undefined;
  /** Judges errors of the conversation and of steps that do not judge them themselves. */
  classifyError?: ClassifyError | undefined;
  /**
   * The conversation, and each of its steps, ends `abandoned` when it is open for longer, in milliseconds.
   * @defaultValue the process's, else `600_000`
   */
  maxOpenMs?: number | undefined;
}

/** What is known about a conversation when it begins. */
export interface ConversationOptions extends JoinConversationOptions {
  /** Names this one exchange, 1 to 128 characters. @defaultValue a new `YYYYMMDD_HHMMSS_<16 hex>` */
  conversationId?: string | undefined;
  /** Attributes of the program's own, on the root span. */
  attributes?: Attributes | undefined;
  /** Headers with a W3C `traceparent` of the request that started the conversation; as {@link Conversation.continueFrom}. */
  continueFrom?: unknown;
}

/** A conversation, as the function that holds it sees it. None of its functions throws on its own account. */
export interface Conversation {
  /** The conversation id as it is on the spans: where `startTracing` has ids replaced, what stands in for the one given. */
  readonly id: string;
  /**
   * Runs one step of the pipeline inside a span, which ends when what `run` returns is over.
   * Returns exactly what `run` returns and throws exactly what it throws; `run` is called once, whatever happens to tracing.
   */
  step<Result>(name: string, run: (step: Step) => Result): Result;
  step<Result>(name: string, options: StepOptions | undefined, run: (step: Step) => Result): Result;
  /** Starts a step that the program ends itself, for work that does not fit into one function. */
  startStep(name: string, options?: StepOptions): StepHandle;
  /** Records a step that is already over. */
  recordStep(name: string, recorded: RecordedStep): void;
  /** Sets attributes of the program's own on the root span. */
  set(attributes: Attributes): void;
  /**
   * Makes a function that runs in this conversation, and in the step that is active now, whenever and by whomever it is
   * called: for event handlers and callbacks. It takes and returns what `run` does, with the same `this`.
   */
  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...given: Arguments) => Result,
  ): (this: This, ...given: Arguments) => Result;
  /**
   * Says that the user has finished: response latency is measured from here. Without it, from the end of the last step
   * that captures (`request`, `listen`, …), else from the conversation's start.
   * @param at `Date` or milliseconds since the epoch. Default: now.
   */
  inputEnded(at?: Date | number): void;
  /** A message for another process, whose steps will be inside the step that is active now, else below the root. */
  carrier(): Carrier;
  /**
   * A message that gives the root away: the process that joins the conversation with it ends the root, with the start
   * that it has here, and this process does not. Steps go on here as before. Only the first call gives it away.
   */
  handOff(): Carrier;
  /**
   * Links the conversation and the trace that the W3C `traceparent` in `headers` (a plain object, a `Map` or `Headers`)
   * belongs to, both ways. The conversation stays a trace of its own.
   */
  continueFrom(headers: unknown): void;
}

/** What a conversation in handle form is told when it begins. */
export interface StartConversationOptions extends ConversationOptions {
  /** For a conversation of the past: `Date` or milliseconds since the epoch. @defaultValue now */
  startTime?: Date | number | undefined;
}

/** What a conversation in handle form is told when it ends. */
export interface EndConversationOptions {
  /** `Date` or milliseconds since the epoch. @defaultValue now, or when its last open step is over */
  endTime?: Date | number | undefined;
  /** @defaultValue what `error` says, else what its outermost steps say (docs/conventions.md, "Outcome") */
  outcome?: Outcome | undefined;
  /** What ended the conversation, where it was an error. */
  error?: unknown;
}

/** A conversation in handle form: the program says when it is over. Also a `using` declaration, which ends it. */
export interface ConversationHandle extends Conversation, Disposable, AsyncDisposable {
  /** Calls `run` with this conversation as the active one, so that the free `step()` belongs to it. Returns what it returns. */
  run<Result>(run: (conversation: Conversation) => Result): Result;
  /** Ends the conversation, once: its root span ends when no step is open any more. */
  end(options?: EndConversationOptions): void;
}

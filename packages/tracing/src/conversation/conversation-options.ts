import type { Attributes, TracerProvider } from '@opentelemetry/api';
import type { ClassifyError, Outcome } from '@convotel/conventions';
import type { Carrier, RecordedStep, Step, StepHandle, StepOptions } from '../step/step-options.ts';

/** Options of `joinConversation()`. */
export interface JoinConversationOptions {
  /** Name of the pipeline, from a small fixed set. @defaultValue that of the carrier */
  workflow?: string | undefined;
  /** Session or thread that groups the conversations of one user. @defaultValue that of the carrier */
  sessionId?: string | undefined;
  /**
   * Whether input and output texts are written to spans.
   * @defaultValue the option of `startTracing`, else `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `false`
   */
  captureContent?: boolean | undefined;
  /**
   * Creates the spans.
   * @defaultValue the private provider of `startTracing`, else the one registered with OpenTelemetry
   */
  tracerProvider?: TracerProvider | undefined;
  /** Aborts all steps: their `signal` follows it, and errors thrown after the abort end them as `interrupted`. */
  signal?: AbortSignal | undefined;
  /** Classifies errors of the conversation, and of steps whose own classifier does not. */
  classifyError?: ClassifyError | undefined;
  /**
   * The conversation, and each of its steps, ends as `abandoned` if it stays open for longer than this, in
   * milliseconds.
   * @defaultValue the option of `startTracing`, else `600_000`
   */
  maxOpenMs?: number | undefined;
}

/** Options of `conversation()`. */
export interface ConversationOptions extends JoinConversationOptions {
  /** Id of this conversation, 1 to 128 characters. @defaultValue a new `YYYYMMDD_HHMMSS_<16 hex>` */
  conversationId?: string | undefined;
  /** Attributes of your own for the root span. */
  attributes?: Attributes | undefined;
  /**
   * Headers of the request that started the conversation, with a W3C `traceparent`; see
   * {@link Conversation.continueFrom}.
   */
  continueFrom?: unknown;
}

/** The conversation that is passed to its function. Its methods throw only what the functions passed to them throw. */
export interface Conversation {
  /** The conversation id as it is written to spans: after the replacement, if `startTracing` replaces ids. */
  readonly id: string;
  /**
   * Runs one step of the pipeline inside a span, which ends when the result of `run` is complete: a promise settled, a
   * stream was read. Returns exactly what `run` returns and throws exactly what it throws. `run` is called exactly
   * once, even if tracing fails.
   */
  step<Result>(name: string, run: (step: Step) => Result): Result;
  step<Result>(name: string, options: StepOptions | undefined, run: (step: Step) => Result): Result;
  /** Starts a step for the program to end, for work that does not fit into one function. */
  startStep(name: string, options?: StepOptions): StepHandle;
  /** Records a step that is already over. */
  recordStep(name: string, recorded: RecordedStep): void;
  /** Sets attributes of your own on the root span. */
  set(attributes: Attributes): void;
  /**
   * Returns a function that runs `run` in this conversation, and in the step that is active now, wherever it is called
   * from: for event handlers and callbacks. `this`, arguments and result are passed on unchanged.
   */
  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...args: Arguments) => Result,
  ): (this: This, ...args: Arguments) => Result;
  /**
   * Records the end of the user's input, from which response latency is measured. Without it, latency is measured from
   * the end of the last capture step (`request`, `listen`, …), else from the conversation's start.
   * @param at `Date` or milliseconds since the epoch. Default: now.
   */
  inputEnded(at?: Date | number): void;
  /**
   * A carrier for another process, whose steps become children of the active step, or of the root if no step is active.
   */
  carrier(): Carrier;
  /**
   * A carrier that transfers the root span: the process that joins the conversation with it ends the root, with its
   * original start time, and this process does not. Steps of this process are recorded as before. Only the first call
   * transfers the root.
   */
  handOff(): Carrier;
  /**
   * Adds span links in both directions between the conversation and the trace of the W3C `traceparent` in `headers` (a
   * plain object, a `Map` or `Headers`). The conversation remains a trace of its own.
   */
  continueFrom(headers: unknown): void;
}

/** Options of `startConversation()`. */
export interface StartConversationOptions extends ConversationOptions {
  /** Start of a conversation in the past: `Date` or milliseconds since the epoch. @defaultValue now */
  startTime?: Date | number | undefined;
}

/** Options of {@link ConversationHandle.end}. */
export interface EndConversationOptions {
  /** `Date` or milliseconds since the epoch. @defaultValue now, or when the last open step ends */
  endTime?: Date | number | undefined;
  /**
   * @defaultValue the one that `error` is classified as, else derived from the outermost steps (docs/conventions.md,
   * "Outcome")
   */
  outcome?: Outcome | undefined;
  /** The error that ended the conversation, if one did. */
  error?: unknown;
}

/** A conversation that the program ends itself. It can be held by a `using` declaration, which ends it. */
export interface ConversationHandle extends Conversation, Disposable, AsyncDisposable {
  /**
   * Calls `run` with this conversation active, so that the top-level `step()` belongs to it. Returns what `run`
   * returns.
   */
  run<Result>(run: (conversation: Conversation) => Result): Result;
  /** Ends the conversation; only the first call counts. Its root span ends once no step is open. */
  end(options?: EndConversationOptions): void;
}

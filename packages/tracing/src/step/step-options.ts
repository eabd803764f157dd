import type { ClassifyError, Outcome } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import type { ResultOptions } from '../results/result-observer.ts';

/** Options of a step. */
export interface StepOptions extends ResultOptions {
  /** Input text of the step. Its length is always recorded, the text only with content capture. */
  input?: string | undefined;
  /** Requested model, such as `gpt-5` (`gen_ai.request.model`). */
  model?: string | undefined;
  /** Provider of the model, such as `openai` (GenAI semantic conventions, `gen_ai.provider.name`). */
  provider?: string | undefined;
  /** Number of the attempt, 1-based: 2 for the first retry. @defaultValue `1`, which is not written to the span */
  attempt?: number | undefined;
  /** Span kind: `client` for a call to another program. @defaultValue `'internal'` */
  kind?: 'internal' | 'client' | undefined;
  /**
   * The operation, as the GenAI semantic conventions name it (`gen_ai.operation.name`).
   * @defaultValue derived from the step's name: `chat` for `gpt`, `speech_to_text` for `stt`, …; else none
   */
  operation?: string | undefined;
  /** Attributes of your own. Values that OpenTelemetry cannot represent are left out. */
  attributes?: Attributes | undefined;
  /**
   * Timeout in milliseconds. When it expires, the step ends as `timed_out`, whether or not its function ever returns,
   * and {@link Step.signal} is aborted. What the function returns or throws later still reaches the caller.
   * @defaultValue none
   */
  timeoutMs?: number | undefined;
  /**
   * A step that stays open for longer than this, in milliseconds, ends as `abandoned`.
   * @defaultValue that of the conversation, else of `startTracing`, else `600_000`
   */
  maxOpenMs?: number | undefined;
  /**
   * Aborts the step: {@link Step.signal} follows it, and an error thrown after the abort ends the step as
   * `interrupted`.
   */
  signal?: AbortSignal | undefined;
  /**
   * Whether the user perceives this step's output, so that response latency is measured up to it. Once a step of a
   * conversation has `true`, the names of its steps are no longer considered, so set it on the first such step.
   * @defaultValue `true` if the step's name means text to speech or playback (`tts`, `response`, …)
   */
  responds?: boolean | undefined;
  /** Classifies what the step throws, before the classifier of the conversation and the rules of the conventions. */
  classifyError?: ClassifyError | undefined;
}

/** What a model used, in the units that it is billed by. */
export interface ModelUsage {
  /** Token counts that the model reported. */
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  /** Seconds of audio that the step received (speech to text) or produced (text to speech). */
  audioSeconds?: number | undefined;
}

/**
 * Identifies a conversation, and a step in it, to another process: a plain object of strings for the headers or the
 * body of any message. Created by `carrier()` and `handOff()`, accepted by `joinConversation`.
 */
export type Carrier = Record<string, string>;

/** The step that is passed to its function. Its methods never throw, and do nothing after the step has ended. */
export interface Step {
  /**
   * Aborted when `timeoutMs` expires (with a `TimeoutError`), and when the `signal` option of this step, of an
   * enclosing step, or of the conversation is aborted. Pass it to `fetch` and to model clients.
   */
  readonly signal: AbortSignal;
  /** Sets the input text, if it was not known when the step started. */
  input(text: string): void;
  /** Sets the output text. If it is not called, a string that the function returns is the output. */
  output(text: string): void;
  /** Sets what the model used; fields that are left out keep their value. */
  usage(usage: ModelUsage): void;
  /** Sets the duration of a named part of the step: `step.timing('queue_wait', { seconds: 0.08 })`. */
  timing(part: string, length: { seconds: number }): void;
  /** Records that the step's first output is available now. Only the first call counts. */
  firstOutput(): void;
  /** Sets attributes of your own. Values that OpenTelemetry cannot represent are left out. */
  set(attributes: Attributes): void;
  /**
   * Marks the step as interrupted: the user spoke over it, or it was stopped early. It stays open until its function is
   * done.
   */
  interrupted(reason?: string): void;
  /** A carrier for another process, whose steps become children of this one. */
  carrier(): Carrier;
}

/** A step that the program ends itself. It can be held by a `using` declaration, which ends it. */
export interface StepHandle extends Step, Disposable, AsyncDisposable {
  /**
   * Calls `run` inside the step, and ends the step when the result of `run` is complete: a promise settled, a stream
   * was read. Returns exactly what `run` returns and throws exactly what it throws.
   */
  run<Result>(run: (step: Step) => Result): Result;
  /** Returns a function that runs `run` inside the step without ending it: for event handlers and callbacks. */
  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...args: Arguments) => Result,
  ): (this: This, ...args: Arguments) => Result;
  /** Ends the step; only the first call counts. A string is its output; an `Error` is what it failed with. */
  end(result?: unknown): void;
}

/** A step that is already over. Times are `Date`s or milliseconds since the epoch, which may have fractions. */
export interface RecordedStep extends Omit<StepOptions, 'maxOpenMs' | 'signal' | keyof ResultOptions> {
  startTime: Date | number;
  endTime: Date | number;
  /** @defaultValue the one that `error` is classified as, else `completed` */
  outcome?: Outcome | undefined;
  /** The error that ended the step, if one did. */
  error?: unknown;
  output?: string | undefined;
  usage?: ModelUsage | undefined;
  /** Durations of named parts, in seconds. */
  timings?: Readonly<Record<string, number>> | undefined;
  /** From the step's start to its first output, in seconds. */
  timeToFirstOutputSeconds?: number | undefined;
}

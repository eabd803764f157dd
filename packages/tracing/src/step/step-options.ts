import type { ClassifyError, Outcome } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import type { ResultOptions } from '../results/result-observer.ts';

/** What is known about a step before it runs. */
export interface StepOptions extends ResultOptions {
  /** The text that the step works on. Its length is always kept, the text only with content capture. */
  input?: string | undefined;
  /** Model that is asked for, such as `gpt-5`. */
  model?: string | undefined;
  /** Provider of the model, such as `openai` (GenAI semantic conventions, `gen_ai.provider.name`). */
  provider?: string | undefined;
  /** Which try this is, 1-based. @defaultValue `1`, which is not written to the span */
  attempt?: number | undefined;
  /** `client` where the step is a call to another program. @defaultValue `'internal'` */
  kind?: 'internal' | 'client' | undefined;
  /**
   * What the step does, in the words of the GenAI semantic conventions (`gen_ai.operation.name`).
   * @defaultValue what the step's name stands for: `chat` for `gpt`, `speech_to_text` for `stt`, …; else none
   */
  operation?: string | undefined;
  /** Attributes of the program's own. Values that OpenTelemetry cannot carry are left out. */
  attributes?: Attributes | undefined;
  /**
   * Time allowed, in milliseconds. When it has passed, the step ends `timed_out`, whether or not its function ever
   * returns, and {@link Step.signal} is aborted. What the function returns or throws later still reaches the program.
   * @defaultValue none
   */
  timeoutMs?: number | undefined;
  /**
   * A step that is open for longer, in milliseconds, ends `abandoned`.
   * @defaultValue the conversation's, else the process's, else `600_000`
   */
  maxOpenMs?: number | undefined;
  /** Aborts the step's work: {@link Step.signal} follows it, and an error that arrives after it was aborted interrupts. */
  signal?: AbortSignal | undefined;
  /**
   * Whether the user perceives this step's output, so that response latency is measured up to it. A conversation in
   * which a step says `true` no longer goes by the names of its steps; say so on the first such step.
   * @defaultValue whether the step's name stands for text to speech or playback (`tts`, `response`, …)
   */
  responds?: boolean | undefined;
  /** Judges what the step throws, before the conversation's classifier and the rules of the conventions. */
  classifyError?: ClassifyError | undefined;
}

/** What a model used, as it is paid for. */
export interface ModelUsage {
  /** Tokens that the model counted. */
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  /** Seconds of audio that a step was given (speech to text) or made (text to speech). */
  audioSeconds?: number | undefined;
}

/**
 * Tells another process which conversation, and which step in it, its work belongs to: a plain object of strings for
 * the headers or the body of any message. Made by `carrier()` and `handOff()`, taken by `joinConversation`.
 */
export type Carrier = Record<string, string>;

/** The step, as the function that runs it sees it. None of its functions throws; after the step's end they do nothing. */
export interface Step {
  /**
   * Aborted when `timeoutMs` has passed (with a `TimeoutError`), and when the option `signal` of this step, of the step
   * around it, or of the conversation is. Pass it to `fetch` and to clients of models.
   */
  readonly signal: AbortSignal;
  /** Sets the text that the step works on, where it was not known before. */
  input(text: string): void;
  /** Sets the step's output text; without it, a returned string counts as output. */
  output(text: string): void;
  /** Sets what the model used; what is left out stays as it was. */
  usage(usage: ModelUsage): void;
  /** Sets the length of a named part of the step, such as `queue_wait`: `step.timing('queue_wait', { seconds: 0.08 })`. */
  timing(part: string, length: { seconds: number }): void;
  /** Marks the present as the moment of the step's first output; only the first call counts. */
  firstOutput(): void;
  /** Sets attributes of the program's own. Values that OpenTelemetry cannot carry are left out. */
  set(attributes: Attributes): void;
  /** Marks the step as interrupted: somebody spoke over it, or it was left early. It goes on until its function is over. */
  interrupted(reason?: string): void;
  /** A message for another process, whose steps will be inside this one. */
  carrier(): Carrier;
}

/** A step in handle form: the program says when it is over. Also a `using` declaration, which ends it. */
export interface StepHandle extends Step, Disposable, AsyncDisposable {
  /**
   * Calls `run` inside the step, and ends the step when what `run` returns is over. Returns exactly what `run` returns
   * and throws exactly what it throws.
   */
  run<Result>(run: (step: Step) => Result): Result;
  /** Makes a function that runs inside the step and does not end it: for event handlers and callbacks. */
  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...given: Arguments) => Result,
  ): (this: This, ...given: Arguments) => Result;
  /** Ends the step, once. A string counts as its output; an `Error` says how it failed. */
  end(result?: unknown): void;
}

/** A step that is already over. Times are `Date`s or milliseconds since the epoch, fractions allowed. */
export interface RecordedStep extends Omit<StepOptions, 'maxOpenMs' | 'signal' | keyof ResultOptions> {
  startTime: Date | number;
  endTime: Date | number;
  /** @defaultValue what `error` says, else `completed` */
  outcome?: Outcome | undefined;
  /** What ended the step, where it was an error. */
  error?: unknown;
  output?: string | undefined;
  usage?: ModelUsage | undefined;
  /** Lengths of named parts, in seconds. */
  timings?: Readonly<Record<string, number>> | undefined;
  /** From the step's start to its first output, in seconds. */
  timeToFirstOutputSeconds?: number | undefined;
}

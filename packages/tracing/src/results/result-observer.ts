import type { RecognizeOptions, ResultDetails } from './recognized/client.ts';
import type { ChunkReader } from './recognized/recognize.ts';

/** A stream that is being read. */
export interface OpenStream {
  /** Reports to the observer what was read until now. Only the first call counts. */
  describe(): void;
}

/**
 * Observes a result: a step that of its function, or a conversation that of its callback. None of its methods throws,
 * except on a stack overflow. The first call of `returned`, `threw` and `cancelled` counts.
 */
export interface ResultObserver {
  /** Names the observer in warnings, such as `the step "gpt"`. */
  readonly label: string;
  /** Whether the observer has ended, so that later calls have no effect. */
  readonly isOver: boolean;
  /** Whether the output text may be recorded; its length always is. */
  readonly keepsText: boolean;
  /** Whether the model, tokens and text in results of known clients are recorded. */
  readonly recordsDetails: boolean;

  /** Runs code that produces the result, such as a generator's body, in the context of the step. */
  runProducer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result;
  /** Runs code that consumes the result, such as a listener, in the context in which the step was called. */
  runConsumer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result;

  /**
   * The result is lazy and waits for a consumer: a query builder, a stream that is not being read yet.
   * `headMs` is set if it is useful without being consumed, as an HTTP response whose body is not read: the reading of
   * `performance.now()` at which the response headers arrived.
   */
  awaitsConsumer(headMs?: number): void;
  /**
   * The result is being consumed. May be called repeatedly, without {@link ResultObserver.awaitsConsumer}, and after the
   * observer's end.
   */
  consumptionStarted(): void;
  /** A stream is being read. An observer that ends before the stream calls `stream.describe()`. */
  streamStarted(stream: OpenStream): void;
  /** The consumer receives the first output now. */
  firstOutput(): void;
  /** Records what was read from the result. */
  describe(details: ResultDetails): void;

  /** The result is complete. */
  returned(value: unknown): void;
  /** The result failed. */
  threw(error: unknown): void;
  /** The consumer stopped before the end of the result. */
  cancelled(): void;
}

/** The observer and the options of a result that is being followed. */
export interface Following {
  readonly observer: ResultObserver;
  readonly options: ResultOptions;
  /** Follows a value that a promise resolved with, or that a method of the result returned, of any kind. */
  follow<Value>(value: Value): Value;
}

/** Options of a step for when its result is complete, and what is read from it. */
export interface ResultOptions {
  /**
   * Selects the part of the result, a stream or a promise, that the step lasts for: `(result) => result.textStream`.
   * Called when the function has returned its result.
   * @defaultValue the result itself
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the type of the result of `run` is not known here
  until?: ((result: any) => unknown) | undefined;
  /**
   * `false` ends the step when a stream or iterator is returned, without waiting until it is read.
   * @defaultValue `true`
   */
  stream?: boolean | undefined;
  /**
   * Whether model, provider, token counts, finish reason and output text are read from results of `openai`,
   * `@anthropic-ai/sdk` and `ai`, which are recognized by their shape.
   * @defaultValue `true`, for each of them
   */
  recognize?: boolean | RecognizeOptions | undefined;
}

/**
 * Collects the output of one stream. Its methods are called as the program receives chunks; the first call of
 * `completed`, `failed` and `cancelled` ends the step.
 */
export class StreamedOutput implements OpenStream {
  readonly #observer: ResultObserver;
  readonly #reader: ChunkReader;
  readonly #details: ResultDetails;
  #chunks = 0;
  #chars: number | undefined;
  #text = '';
  #hasOutput = false;
  #hasBegun = false;
  #isDescribed = false;
  /** The open branches of a stream that was split, including this one; undefined if it was not split. */
  #branches: Set<StreamedOutput> | undefined;
  #signal: AbortSignal | undefined;

  /** `details`: what was read from the chunks; shared by the branches of one stream. */
  constructor(observer: ResultObserver, reader: ChunkReader, details: ResultDetails = {}) {
    this.#details = details;
    this.#observer = observer;
    this.#reader = reader;
  }

  /** Makes this a branch of a stream; cancelling it ends the step only if no other branch is open. */
  asBranchOf(openBranches: Set<StreamedOutput>): this {
    this.#branches = openBranches.add(this);
    return this;
  }

  /**
   * Treats an end after an abort of `signal` as cancelled: the streams of openai and anthropic then end without an
   * error.
   */
  withAbortSignal(signal: AbortSignal | undefined): this {
    this.#signal = signal;
    return this;
  }

  /** The stream is being read. */
  readingStarted(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#observer.consumptionStarted();
    this.#observer.streamStarted(this);
  }

  chunk(chunk: unknown): void {
    if (!this.#hasBegun) this.readingStarted();
    const output = typeof chunk === 'string' ? chunk : this.#reader.read(chunk, this.#details);
    // A branch contains parts that the AI SDK removes from the program's streams, such as `start`; they do not count.
    if (this.#branches === undefined || output !== '') this.#chunks += 1;
    if (!this.#hasOutput && output !== '') {
      this.#hasOutput = true;
      this.#observer.firstOutput();
    }
    if (typeof output !== 'string') return;
    this.#chars = (this.#chars ?? 0) + output.length;
    if (this.#observer.keepsText) this.#text += output;
  }

  /** The last chunk was received; `value` is the return value of a generator. */
  completed(value?: unknown): void {
    this.describe();
    const { failure, wasAborted } = this.#reader;
    if (failure !== undefined) this.#observer.threw(failure.error);
    else if (wasAborted || this.#signal?.aborted === true) this.#observer.cancelled();
    else this.#observer.returned(value);
  }

  failed(error: unknown): void {
    this.describe();
    this.#observer.threw(error);
  }

  /** The consumer stopped before the end. */
  cancelled(): void {
    this.#branches?.delete(this);
    if (this.#branches !== undefined && this.#branches.size > 0) return;
    this.describe();
    this.#observer.cancelled();
  }

  describe(): void {
    if (this.#isDescribed || this.#observer.isOver) return;
    this.#isDescribed = true;
    const details: ResultDetails = { ...this.#details, chunks: this.#chunks };
    if (this.#chars !== undefined) {
      details.outputChars = this.#chars;
      if (this.#observer.keepsText) details.outputText = this.#text;
    }
    this.#observer.describe(details);
  }
}

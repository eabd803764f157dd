import type { RecognizeOptions, ResultDetails } from './recognized/client.ts';
import type { ChunkReader } from './recognized/recognize.ts';

/** A stream that is being read, of which more may come. */
export interface StreamSoFar {
  /** Tells the observer what was handed on until now; once. */
  describe(): void;
}

/**
 * Whoever wants to know how a result came out: a step, or the conversation for what its callback returned.
 * None of its functions throws. The first of `returned`, `threw` and `leftEarly` counts.
 */
export interface ResultObserver {
  /** Who observes, for warnings, such as `the step "gpt"`. */
  readonly label: string;
  /** Nothing that is told from here on counts. */
  readonly isOver: boolean;
  /** Whether the output's text may be kept; its length always is. */
  readonly keepsText: boolean;

  /** Runs code that produces the result, such as a generator's body, as if it still ran inside the step's function. */
  runInside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result;
  /** Runs code that consumes the result, such as a listener, as if it ran where the step was called. */
  runOutside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result;

  /**
   * Nothing is under way until somebody asks: a query builder, a stream that is not read yet.
   * `headMs` is set where what is there already is a result of its own, the head of an HTTP response: the reading of
   * `performance.now()` at which it was there.
   */
  waits(headMs?: number): void;
  /** Somebody asked; may be called again, or without {@link ResultObserver.waits}. */
  begins(): void;
  /** A stream is read from now on. Whoever does not wait for its end asks `soFar` what there was until then. */
  streams(soFar: StreamSoFar): void;
  /** The first output is handed on now. */
  firstOutput(): void;
  describe(details: ResultDetails): void;

  /** The result is there, whole. */
  returned(value: unknown): void;
  /** The result will never be there. */
  threw(error: unknown): void;
  /** Whoever consumed the result does not want the rest. */
  leftEarly(): void;
}

/** A result on its way through the kinds of results. */
export interface Following {
  readonly observer: ResultObserver;
  readonly options: ResultOptions;
  /** Follows what a promise resolved with, or what a method of the result gave, whatever its kind. */
  follow<Value>(value: Value): Value;
}

/** Options of a step that say how its result is followed. */
export interface ResultOptions {
  /**
   * For a result that holds streams: which of them the step lasts for, such as `(result) => result.textStream`, or a
   * promise. It is asked once, when the result is there.
   * @defaultValue the result itself
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- what `run` returns is known only beside it
  until?: ((result: any) => unknown) | undefined;
  /** `false` ends the step as soon as a stream or an iterator is returned, read or not. @defaultValue `true` */
  stream?: boolean | undefined;
  /**
   * Whether model, provider, tokens, finish reason and output text are read off results of `openai`,
   * `@anthropic-ai/sdk` and `ai`, which are recognized by their shape.
   * @defaultValue `true`, for each of them
   */
  recognize?: boolean | RecognizeOptions | undefined;
}

/**
 * What came out of one stream so far. Its functions are called as chunks are handed to the program; the first of
 * `completed`, `failed` and `left` ends the step.
 */
export class StreamedOutput implements StreamSoFar {
  readonly #observer: ResultObserver;
  readonly #reader: ChunkReader;
  readonly #details: ResultDetails;
  #chunks = 0;
  #chars: number | undefined;
  #text = '';
  #hasOutput = false;
  #hasBegun = false;
  #isDescribed = false;
  /** The branches of one stream that are open, this one among them, where there are several. */
  #branches: Set<StreamedOutput> | undefined;
  #signal: AbortSignal | undefined;

  /** `details`: what is read off the chunks; shared by the branches of one stream. */
  constructor(observer: ResultObserver, reader: ChunkReader, details: ResultDetails = {}) {
    this.#details = details;
    this.#observer = observer;
    this.#reader = reader;
  }

  /** Leaving this branch of a stream early ends the step only when none of `openBranches` is left. */
  asOneOf(openBranches: Set<StreamedOutput>): this {
    this.#branches = openBranches.add(this);
    return this;
  }

  /** The streams of openai and anthropic end as if they were complete when `signal` is aborted; so it is looked at. */
  endsQuietlyBy(signal: AbortSignal | undefined): this {
    this.#signal = signal;
    return this;
  }

  /** Somebody reads the stream. */
  begins(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#observer.begins();
    this.#observer.streams(this);
  }

  chunk(chunk: unknown): void {
    if (!this.#hasBegun) this.begins();
    const output = typeof chunk === 'string' ? chunk : this.#reader.read(chunk, this.#details);
    // The parts of a branch are not what the program gets: announcements are left out of its streams.
    if (this.#branches === undefined || output !== '') this.#chunks += 1;
    if (!this.#hasOutput && output !== '') {
      this.#hasOutput = true;
      this.#observer.firstOutput();
    }
    if (typeof output !== 'string') return;
    this.#chars = (this.#chars ?? 0) + output.length;
    if (this.#observer.keepsText) this.#text += output;
  }

  /** The last chunk was handed on; `value` is what the stream gave beside its chunks. */
  completed(value?: unknown): void {
    this.describe();
    const { failure, wasAborted } = this.#reader;
    if (failure !== undefined) this.#observer.threw(failure.error);
    else if (wasAborted || this.#signal?.aborted === true) this.#observer.leftEarly();
    else this.#observer.returned(value);
  }

  failed(error: unknown): void {
    this.describe();
    this.#observer.threw(error);
  }

  left(): void {
    this.#branches?.delete(this);
    if (this.#branches !== undefined && this.#branches.size > 0) return;
    this.describe();
    this.#observer.leftEarly();
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

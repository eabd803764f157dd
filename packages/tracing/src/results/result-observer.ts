import type { RecognizeOptions, ResultDetails } from './recognized/result-details.ts';

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

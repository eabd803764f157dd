import { activeContext } from '../guards/context.ts';
import { findScope } from './step-host.ts';
import type { Carrier, Step, StepHandle, StepOptions } from './step-options.ts';

const neverAborted = new AbortController().signal;

/** What a plain step needs of its conversation. */
interface PlainStepHost {
  readonly signal: AbortSignal | undefined;
  /** A message for another process that joins the conversation. */
  carrier(): Carrier;
}

/** A step of which nothing is recorded: outside of any conversation, or without an OpenTelemetry provider. */
export class PlainStep implements StepHandle {
  readonly #host: PlainStepHost | undefined;

  constructor(host: PlainStepHost | undefined) {
    this.#host = host;
  }

  /** Whether the program sees no difference between a plain step and one with `options`. */
  static canStandFor(options: StepOptions | undefined): boolean {
    try {
      return options?.timeoutMs === undefined && options?.signal === undefined;
    } catch {
      // A getter that throws: the step that reads all options reports it.
      return false;
    }
  }

  get signal(): AbortSignal {
    return findScope(activeContext())?.step?.signal ?? this.#host?.signal ?? neverAborted;
  }

  input(): void {}
  output(): void {}
  usage(): void {}
  timing(): void {}
  firstOutput(): void {}
  set(): void {}
  interrupted(): void {}

  carrier(): Carrier {
    return this.#host?.carrier() ?? {};
  }

  run<Result>(run: (step: Step) => Result): Result {
    return run(this);
  }

  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...given: Arguments) => Result,
  ): (this: This, ...given: Arguments) => Result {
    return run;
  }

  end(): void {}

  [Symbol.dispose](): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

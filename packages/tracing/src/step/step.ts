import { trace } from '@opentelemetry/api';
import { activeContext } from '../guards/context.ts';
import { hasProvider } from '../guards/spans.ts';
import { hasWarned, placeOfCall, warnOnce } from '../guards/warnings.ts';
import { findScope } from './step-host.ts';
import type { Carrier, Step, StepHandle, StepOptions } from './step-options.ts';
import { traceStep } from './trace-step.ts';

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

const outside = new PlainStep(undefined);

/**
 * Runs one step of the active conversation, as {@link Conversation.step} does. Outside of any conversation it calls
 * `run` plainly, and one warning says where that was.
 */
export function step<Result>(name: string, run: (step: Step) => Result): Result;
export function step<Result>(name: string, options: StepOptions | undefined, run: (step: Step) => Result): Result;
export function step<Result>(
  name: string,
  optionsOrRun: StepOptions | undefined | ((step: Step) => Result),
  runAfterOptions?: (step: Step) => Result,
): Result {
  const host = findScope(activeContext())?.host;
  const run = (runAfterOptions ?? optionsOrRun) as (step: Step) => Result;
  if (host === undefined) {
    warnOfStepOutside(name, step);
    return run(outside);
  }
  const started = host.beginStep(name, runAfterOptions === undefined ? undefined : (optionsOrRun as StepOptions));
  return started === undefined ? run(host.plainStep) : traceStep(started, run);
}

/** Starts a step of the active conversation that the program ends itself, as {@link Conversation.startStep} does. */
export function startStep(name: string, options?: StepOptions): StepHandle {
  const host = findScope(activeContext())?.host;
  if (host !== undefined) return host.startStep(name, options);
  warnOfStepOutside(name, startStep);
  return outside;
}

const WARNING = 'step outside';

/** Says once where a step ran outside of any conversation. Without a provider nothing is recorded anywhere, and nothing is said. */
export function warnOfStepOutside(name: string, called: (...given: never[]) => unknown): void {
  if (hasWarned(WARNING) || !hasProvider()) return;
  const place = placeOfCall(called);
  const isRemote = trace.getSpanContext(activeContext())?.isRemote === true;
  warnOnce(
    WARNING,
    `the step ${JSON.stringify(name)} ran outside of any conversation and was not recorded${place === undefined ? '' : ` (${place})`}. ` +
      (isRemote
        ? 'A traceparent alone does not say which conversation it belongs to: send c.carrier() along, and use joinConversation().'
        : 'An event handler or callback loses the conversation in which it was registered: wrap it in c.bind(…), or use c.step(…).'),
  );
}

/** Any function, in a form that keeps overloads and type parameters. */
type AnyFunction = (...given: never[]) => unknown;

/**
 * Makes a function that runs `wrapped` as a step of whatever conversation is active when it is called.
 * It has the same type, overloads included, and takes and returns what `wrapped` does, with the same `this`, name and length.
 */
export function wrapStep<Wrapped extends AnyFunction>(name: string, wrapped: Wrapped): Wrapped;
export function wrapStep<Wrapped extends AnyFunction>(
  name: string,
  options: StepOptions | undefined,
  wrapped: Wrapped,
): Wrapped;
export function wrapStep<Wrapped extends AnyFunction>(
  name: string,
  optionsOrWrapped: StepOptions | undefined | Wrapped,
  wrappedAfterOptions?: Wrapped,
): Wrapped {
  const wrapped = (wrappedAfterOptions ?? optionsOrWrapped) as (this: unknown, ...given: unknown[]) => unknown;
  const options = wrappedAfterOptions === undefined ? undefined : (optionsOrWrapped as StepOptions | undefined);
  const wrapper = function (this: unknown, ...given: unknown[]): unknown {
    const host = findScope(activeContext())?.host;
    if (host === undefined) warnOfStepOutside(name, wrapper);
    const started = host?.beginStep(name, options);
    return started === undefined ? wrapped.apply(this, given) : traceStep(started, () => wrapped.apply(this, given));
  };
  for (const property of ['name', 'length'] as const) {
    Object.defineProperty(wrapper, property, { value: wrapped[property], configurable: true });
  }
  return wrapper as unknown as Wrapped;
}

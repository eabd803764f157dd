import { trace } from '@opentelemetry/api';
import { activeContext } from '../guards/context.ts';
import { hasProvider } from '../guards/spans.ts';
import { hasWarned, callSiteOf, warnOnce } from '../guards/warnings.ts';
import { findScope } from './step-host.ts';
import type { Carrier, Step, StepHandle, StepOptions } from './step-options.ts';
import { traceStep } from './trace-step.ts';

const neverAborted = new AbortController().signal;

interface NonRecordingStepHost {
  readonly signal: AbortSignal | undefined;
  carrier(): Carrier;
}

/** A step that records nothing: outside of any conversation, or without an OpenTelemetry provider. */
export class NonRecordingStep implements StepHandle {
  readonly #host: NonRecordingStepHost | undefined;

  constructor(host: NonRecordingStepHost | undefined) {
    this.#host = host;
  }

  /** Whether a step with `options` would behave the same towards the program. */
  static canStandFor(options: StepOptions | undefined): boolean {
    try {
      return options?.timeoutMs === undefined && options?.signal === undefined;
    } catch {
      // A getter threw. StepSpan reads all options and reports it.
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
    run: (this: This, ...args: Arguments) => Result,
  ): (this: This, ...args: Arguments) => Result {
    return run;
  }

  end(): void {}

  [Symbol.dispose](): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

const outside = new NonRecordingStep(undefined);

/**
 * Runs one step of the active conversation, as {@link Conversation.step} does. Outside of any conversation it only
 * calls `run`, and warns once, naming the call site.
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
    warnStepOutside(name, step);
    return run(outside);
  }
  const started = host.beginStep(name, runAfterOptions === undefined ? undefined : (optionsOrRun as StepOptions));
  return started === undefined ? run(host.nonRecordingStep) : traceStep(started, run);
}

/** Starts a step of the active conversation for the program to end, as {@link Conversation.startStep} does. */
export function startStep(name: string, options?: StepOptions): StepHandle {
  const host = findScope(activeContext())?.host;
  if (host !== undefined) return host.startStep(name, options);
  warnStepOutside(name, startStep);
  return outside;
}

const WARNING = 'step outside';

/**
 * Warns once that a step ran outside of any conversation. Does not warn without a provider, when nothing is recorded
 * anyway.
 */
export function warnStepOutside(name: string, called: (...args: never[]) => unknown): void {
  if (hasWarned(WARNING) || !hasProvider()) return;
  const place = callSiteOf(called);
  const isRemote = trace.getSpanContext(activeContext())?.isRemote === true;
  warnOnce(
    WARNING,
    `the step ${JSON.stringify(name)} ran outside of any conversation and was not recorded${place === undefined ? '' : ` (${place})`}. ` +
      (isRemote
        ? 'A traceparent alone does not identify the conversation: send c.carrier() with the message, and call joinConversation() with it.'
        : 'An event handler or callback does not run in the conversation that registered it: wrap it in c.bind(…), or use c.step(…).'),
  );
}

/** Any function, as a constraint that preserves overloads and type parameters. */
type AnyFunction = (...args: never[]) => unknown;

/**
 * Returns a function that runs `wrapped` as a step of the conversation that is active when it is called.
 * It has the type of `wrapped`, overloads included, passes on `this`, arguments and result unchanged, and keeps its name,
 * its length and the properties that it has now.
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
  const wrapped = (wrappedAfterOptions ?? optionsOrWrapped) as (this: unknown, ...args: unknown[]) => unknown;
  const options = wrappedAfterOptions === undefined ? undefined : (optionsOrWrapped as StepOptions | undefined);
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const host = findScope(activeContext())?.host;
    if (host === undefined) warnStepOutside(name, wrapper);
    const started = host?.beginStep(name, options);
    return started === undefined ? wrapped.apply(this, args) : traceStep(started, () => wrapped.apply(this, args));
  };
  copyProperties(wrapped, wrapper);
  return wrapper as unknown as Wrapped;
}

/** Properties of functions themselves; a prototype belongs to the constructor that it names. */
const PROPERTIES_OF_FUNCTIONS: ReadonlySet<PropertyKey> = new Set(['prototype', 'arguments', 'caller']);

function copyProperties(from: object, to: object): void {
  for (const key of Reflect.ownKeys(from)) {
    const property = Object.getOwnPropertyDescriptor(from, key);
    if (property !== undefined && !PROPERTIES_OF_FUNCTIONS.has(key)) Object.defineProperty(to, key, property);
  }
}

import { activeContext } from '../guards/context.ts';
import { warnOfStepOutside } from './step.ts';
import { findScope } from './step-host.ts';
import type { StepOptions } from './step-options.ts';
import { traceStep } from './trace-step.ts';

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

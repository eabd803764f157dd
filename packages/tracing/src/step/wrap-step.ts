import type { StepOptions } from './step-options.ts';
import { step } from './step.ts';

/**
 * Makes a function that runs `wrapped` as a step of whatever conversation is active when it is called.
 * It takes and returns what `wrapped` does, with the same `this`, name and length.
 */
export function wrapStep<This, Arguments extends unknown[], Result>(
  name: string,
  wrapped: (this: This, ...given: Arguments) => Result,
): (this: This, ...given: Arguments) => Result;
export function wrapStep<This, Arguments extends unknown[], Result>(
  name: string,
  options: StepOptions,
  wrapped: (this: This, ...given: Arguments) => Result,
): (this: This, ...given: Arguments) => Result;
export function wrapStep<This, Arguments extends unknown[], Result>(
  name: string,
  optionsOrWrapped: StepOptions | ((this: This, ...given: Arguments) => Result),
  wrappedAfterOptions?: (this: This, ...given: Arguments) => Result,
): (this: This, ...given: Arguments) => Result {
  const wrapped = (wrappedAfterOptions ?? optionsOrWrapped) as (this: This, ...given: Arguments) => Result;
  const options = wrappedAfterOptions === undefined ? {} : (optionsOrWrapped as StepOptions);
  const wrapper = function (this: This, ...given: Arguments): Result {
    return step(name, options, () => wrapped.apply(this, given));
  };
  for (const property of ['name', 'length'] as const) {
    Object.defineProperty(wrapper, property, { value: wrapped[property], configurable: true });
  }
  return wrapper;
}

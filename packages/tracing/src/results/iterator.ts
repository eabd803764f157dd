import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/program-objects.ts';
import type { Method } from '../guards/program-objects.ts';
import { cannotFollow, replaceMember } from './replace-member.ts';
import type { ResultObserver } from './result-observer.ts';
import type { StreamedOutput } from './streamed-output.ts';

/** Iterators over what is there already: nothing is produced while they are read. */
const BUILT_IN_TAG = /^(Array|Map|Set|String|RegExp String|Segmenter String) Iterator$/;

/** A sync generator, or an iterator that is written as a class. */
export function isSyncIterator(value: object): boolean {
  return (
    methodOf(value, 'next') !== undefined &&
    methodOf(value, Symbol.iterator) !== undefined &&
    !BUILT_IN_TAG.test(String(read(value, Symbol.toStringTag)))
  );
}

/**
 * Follows a generator or another iterator, sync or async, through its own `next`, `return` and `throw`, which are
 * replaced on the object: a wrapping generator would lose what else the object can, and a Proxy its private fields.
 * The code behind `next` runs in the step's context, also where its consumer reads from elsewhere.
 */
export function followIterator<Iterator extends object>(
  iterator: Iterator,
  isAsync: boolean,
  output: StreamedOutput,
  observer: ResultObserver,
): Iterator {
  const next = methodOf(iterator, 'next');
  if (next === undefined) return iterator;
  const hear = new IteratorDoors(iterator, isAsync, output, observer);
  if (!replaceMember(iterator, 'next', hear.door(next, false))) {
    cannotFollow(observer, 'an iterator');
    return iterator;
  }
  const leave = methodOf(iterator, 'return');
  // Where there is no `return`, a consumer that stops early would tell nobody.
  replaceMember(iterator, 'return', leave === undefined ? hear.missingReturn() : hear.door(leave, true));
  // A database cursor that is closed before its last row.
  const close = leave === undefined ? methodOf(iterator, 'close') : undefined;
  if (close !== undefined) replaceMember(iterator, 'close', hear.leavingMethod(close));
  const fail = methodOf(iterator, 'throw');
  if (fail !== undefined) replaceMember(iterator, 'throw', hear.door(fail, true));
  return iterator;
}

class IteratorDoors {
  readonly #iterator: object;
  readonly #isAsync: boolean;
  readonly #output: StreamedOutput;
  readonly #observer: ResultObserver;
  /** Chunks that were asked for and are not there yet. */
  #pending = 0;

  constructor(iterator: object, isAsync: boolean, output: StreamedOutput, observer: ResultObserver) {
    this.#iterator = iterator;
    this.#isAsync = isAsync;
    this.#output = output;
    this.#observer = observer;
  }

  /** `isLeaving`: a result that is done says that the consumer left, not that the last chunk was there. */
  door(original: Method, isLeaving: boolean): Method {
    const iterator = this.#iterator;
    const output = this.#output;
    const observer = this.#observer;
    const call = original as unknown as (this: object, ...given: unknown[]) => unknown;
    const produce = (): unknown => call.call(iterator);
    const produceFor = (given: unknown): unknown => call.call(iterator, given);
    const hear = (given: unknown): unknown => {
      if (given === null || given === undefined) output.completed();
      else if (!isObject(given)) output.chunk(given);
      else if (read(given, 'done') === true) {
        if (isLeaving) output.left();
        else output.completed(read(given, 'value'));
      } else {
        // A database cursor's `next` gives its rows as they are, and null after the last one.
        output.chunk('value' in given || 'done' in given ? read(given, 'value') : given);
      }
      return given;
    };
    const hearFailure = (error: unknown): never => {
      output.failed(error);
      throw error;
    };
    const isAsync = this.#isAsync;
    const began = (): void => {
      // A generator that hangs takes notice of nothing; its consumer has left all the same.
      if (isLeaving && this.#pending > 0) output.left();
      if (isAsync && !isLeaving) this.#pending += 1;
    };
    const settled = (): void => {
      if (isAsync && !isLeaving) this.#pending -= 1;
    };
    const hearLater = (value: unknown): unknown => {
      settled();
      return hear(value);
    };
    const hearFailureLater = (error: unknown): never => {
      settled();
      return hearFailure(error);
    };
    return function (this: unknown, given?: unknown): unknown {
      output.begins();
      began();
      let result: unknown;
      try {
        // A generator's first `next` takes none, and a class may tell none from undefined.
        result =
          arguments.length === 0 ? observer.runInside(produce, undefined) : observer.runInside(produceFor, given);
      } catch (error) {
        return hearFailureLater(error);
      }
      if (!isAsync) return hear(result);
      const promise = types.isPromise(result) ? result : Promise.resolve(result);
      return promise.then(hearLater, hearFailureLater);
    };
  }

  leavingMethod(original: Method): Method {
    const output = this.#output;
    const call = original as unknown as (this: unknown, ...given: unknown[]) => unknown;
    return function (this: unknown, ...given: unknown[]): unknown {
      output.left();
      return call.apply(this, given);
    } as Method;
  }

  missingReturn(): Method {
    const output = this.#output;
    const isAsync = this.#isAsync;
    return function (this: unknown, value?: unknown): unknown {
      output.left();
      const result = { done: true, value };
      return isAsync ? Promise.resolve(result) : result;
    };
  }
}

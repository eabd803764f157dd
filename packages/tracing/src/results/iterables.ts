import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/untrusted-values.ts';
import type { Method } from '../guards/untrusted-values.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';

export function isAsyncIterable(value: object): boolean {
  return methodOf(value, Symbol.asyncIterator) !== undefined;
}

/**
 * Follows an async iterable: a generator, an instance of an iterator class, or an object that creates iterators. The
 * first of its iterators to complete ends the step.
 */
export function followAsyncIterable<Iterable extends object>(
  iterable: Iterable,
  newOutput: () => StreamedOutput,
  observer: ResultObserver,
): Iterable {
  const makeIterator = methodOf(iterable, Symbol.asyncIterator)!;
  const signal = signalOf(iterable);
  const interceptor = new AsyncIterableInterceptor(() => newOutput().withAbortSignal(signal), observer);
  const isIterator = methodOf(iterable, 'next') !== undefined;
  // A generator returns itself; a database cursor has a `next` but creates a new iterator. Calling it would start the
  // query.
  if (isIterator) interceptor.followOnce(iterable);
  if (!replaceMember(iterable, Symbol.asyncIterator, interceptor.intercept(makeIterator)) && !isIterator) {
    cannotFollow(observer, 'an async iterable');
    return iterable;
  }
  // In the streams of openai and anthropic, `tee` calls this function, not the one above.
  const inner = Object.hasOwn(iterable, 'iterator') ? methodOf(iterable, 'iterator') : undefined;
  if (inner !== undefined) replaceMember(iterable, 'iterator', interceptor.intercept(inner));
  if (!observer.isOver) observer.awaitsConsumer();
  return iterable;
}

/** The signal of the `controller` with which a client's stream can be aborted. */
function signalOf(iterable: object): AbortSignal | undefined {
  const controller = read(iterable, 'controller');
  const signal = isObject(controller) ? read(controller, 'signal') : undefined;
  return isObject(signal) && 'aborted' in signal ? (signal as AbortSignal) : undefined;
}

class AsyncIterableInterceptor {
  readonly #newOutput: () => StreamedOutput;
  readonly #observer: ResultObserver;
  readonly #followed = new WeakSet<object>();

  constructor(newOutput: () => StreamedOutput, observer: ResultObserver) {
    this.#newOutput = newOutput;
    this.#observer = observer;
  }

  /** Wraps `makeIterator` so that each iterator it returns is followed. */
  intercept(makeIterator: Method): Method {
    const make = makeIterator as unknown as (this: unknown, ...args: unknown[]) => unknown;
    const observer = this.#observer;
    const follow = (made: object): void => this.followOnce(made);
    return function (this: unknown, ...args: never[]): unknown {
      const made = observer.runProducer((all: unknown[]) => make.apply(this, all), args as unknown[]);
      if (observer.isOver) observer.consumptionStarted();
      else if (isObject(made)) follow(made);
      return made;
    };
  }

  followOnce(iterator: object): void {
    if (this.#followed.has(iterator)) return;
    this.#followed.add(iterator);
    followIterator(iterator, true, this.#newOutput(), this.#observer);
  }
}

/** Iterators over existing data: nothing is produced while they are read. */
const BUILT_IN_TAG = /^(Array|Map|Set|String|RegExp String|Segmenter String) Iterator$/;

/** A sync generator, or an instance of an iterator class. */
export function isSyncIterator(value: object): boolean {
  return (
    methodOf(value, 'next') !== undefined &&
    methodOf(value, Symbol.iterator) !== undefined &&
    !BUILT_IN_TAG.test(String(read(value, Symbol.toStringTag)))
  );
}

/**
 * Follows a generator or another iterator, sync or async, by replacing `next`, `return` and `throw` on the object
 * itself: a wrapping generator would lose its other methods, and a Proxy its private fields. The code behind `next`
 * runs in the step's context, wherever the consumer calls it from.
 */
export function followIterator<Iterator extends object>(
  iterator: Iterator,
  isAsync: boolean,
  output: StreamedOutput,
  observer: ResultObserver,
): Iterator {
  const next = methodOf(iterator, 'next');
  if (next === undefined) return iterator;
  const interceptor = new IteratorInterceptor(iterator, isAsync, output, observer);
  if (!replaceMember(iterator, 'next', interceptor.intercept(next, false))) {
    cannotFollow(observer, 'an iterator');
    return iterator;
  }
  const leave = methodOf(iterator, 'return');
  // Without a `return`, a consumer that stops early would go unnoticed.
  replaceMember(
    iterator,
    'return',
    leave === undefined ? interceptor.missingReturn() : interceptor.intercept(leave, true),
  );
  // A database cursor that is closed before its last row.
  const close = leave === undefined ? methodOf(iterator, 'close') : undefined;
  if (close !== undefined) replaceMember(iterator, 'close', interceptor.interceptClose(close));
  const fail = methodOf(iterator, 'throw');
  if (fail !== undefined) replaceMember(iterator, 'throw', interceptor.intercept(fail, true));
  return iterator;
}

class IteratorInterceptor {
  readonly #iterator: object;
  readonly #isAsync: boolean;
  readonly #output: StreamedOutput;
  readonly #observer: ResultObserver;
  /** Calls of `next` that have not settled. */
  readonly #requests = { pending: 0 };

  constructor(iterator: object, isAsync: boolean, output: StreamedOutput, observer: ResultObserver) {
    this.#iterator = iterator;
    this.#isAsync = isAsync;
    this.#output = output;
    this.#observer = observer;
  }

  /** `isCancelling`: `done` in the result means that the consumer stopped early, not that the last chunk was read. */
  intercept(original: Method, isCancelling: boolean): Method {
    const iterator = this.#iterator;
    const output = this.#output;
    const observer = this.#observer;
    const call = original as unknown as (this: object, ...args: unknown[]) => unknown;
    const produce = (): unknown => call.call(iterator);
    const produceFor = (value: unknown): unknown => call.call(iterator, value);
    const requests = this.#requests;
    const isAsync = this.#isAsync;
    const isCounted = isAsync && !isCancelling;
    const onResult = (result: unknown): unknown => {
      if (isCounted) requests.pending -= 1;
      if (result === null || result === undefined) output.completed();
      else if (!isObject(result)) output.chunk(result);
      else if (read(result, 'done') === true) {
        if (isCancelling) output.cancelled();
        else output.completed(read(result, 'value'));
      } else {
        // A database cursor's `next` returns plain rows, and null after the last one.
        output.chunk('value' in result || 'done' in result ? read(result, 'value') : result);
      }
      return result;
    };
    const onError = (error: unknown): never => {
      if (isCounted) requests.pending -= 1;
      output.failed(error);
      throw error;
    };
    return function (this: unknown, value?: unknown): unknown {
      output.readingStarted();
      if (isCounted) requests.pending += 1;
      // A generator that hangs in `next` never settles `return` either, although its consumer has stopped.
      else if (isCancelling && requests.pending > 0) output.cancelled();
      let result: unknown;
      try {
        // No argument is passed if there was none: an iterator class may distinguish that from undefined.
        result =
          arguments.length === 0 ? observer.runProducer(produce, undefined) : observer.runProducer(produceFor, value);
      } catch (error) {
        return onError(error);
      }
      if (!isAsync) return onResult(result);
      const promise = types.isPromise(result) ? result : Promise.resolve(result);
      return promise.then(onResult, onError);
    };
  }

  interceptClose(original: Method): Method {
    const output = this.#output;
    const call = original as unknown as (this: unknown, ...args: unknown[]) => unknown;
    return function (this: unknown, ...args: unknown[]): unknown {
      output.cancelled();
      return call.apply(this, args);
    } as Method;
  }

  missingReturn(): Method {
    const output = this.#output;
    const isAsync = this.#isAsync;
    return function (this: unknown, value?: unknown): unknown {
      output.cancelled();
      const result = { done: true, value };
      return isAsync ? Promise.resolve(result) : result;
    };
  }
}

import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/given-values.ts';
import type { Method } from '../guards/given-values.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';

export function isAsyncIterable(value: object): boolean {
  return methodOf(value, Symbol.asyncIterator) !== undefined;
}

/**
 * Follows an async iterable: a generator, an iterator of a class, or an object that makes an iterator each time it is
 * asked. The first of its iterators to be over ends the step.
 */
export function followAsyncIterable<Iterable extends object>(
  iterable: Iterable,
  newOutput: () => StreamedOutput,
  observer: ResultObserver,
): Iterable {
  const makeIterator = methodOf(iterable, Symbol.asyncIterator)!;
  const signal = signalOf(iterable);
  const doors = new AsyncIterableDoors(() => newOutput().endsQuietlyBy(signal), observer);
  const isIterator = methodOf(iterable, 'next') !== undefined;
  // A generator returns itself; a database cursor has a `next` and still makes a new iterator. Asking would start it.
  if (isIterator) doors.followOnce(iterable);
  if (!replaceMember(iterable, Symbol.asyncIterator, doors.door(makeIterator)) && !isIterator) {
    cannotFollow(observer, 'an async iterable');
    return iterable;
  }
  // The streams of openai and anthropic: their `tee` starts from this function, not from the one above.
  const inner = Object.hasOwn(iterable, 'iterator') ? methodOf(iterable, 'iterator') : undefined;
  if (inner !== undefined) replaceMember(iterable, 'iterator', doors.door(inner));
  if (!observer.isOver) observer.waits();
  return iterable;
}

/** The signal of the controller by which a client's stream can be aborted. */
function signalOf(iterable: object): AbortSignal | undefined {
  const controller = read(iterable, 'controller');
  const signal = isObject(controller) ? read(controller, 'signal') : undefined;
  return isObject(signal) && 'aborted' in signal ? (signal as AbortSignal) : undefined;
}

class AsyncIterableDoors {
  readonly #newOutput: () => StreamedOutput;
  readonly #observer: ResultObserver;
  readonly #followed = new WeakSet<object>();

  constructor(newOutput: () => StreamedOutput, observer: ResultObserver) {
    this.#newOutput = newOutput;
    this.#observer = observer;
  }

  /** A function that makes iterators, each of which is followed. */
  door(makeIterator: Method): Method {
    const make = makeIterator as unknown as (this: unknown, ...given: unknown[]) => unknown;
    const observer = this.#observer;
    const follow = (made: object): void => this.followOnce(made);
    return function (this: unknown, ...given: never[]): unknown {
      const made = observer.runInside((all: unknown[]) => make.apply(this, all), given as unknown[]);
      if (isObject(made) && !observer.isOver) follow(made);
      return made;
    };
  }

  followOnce(iterator: object): void {
    if (this.#followed.has(iterator)) return;
    this.#followed.add(iterator);
    followIterator(iterator, true, this.#newOutput(), this.#observer);
  }
}

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
  readonly #asked = { pending: 0 };

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
    const asked = this.#asked;
    const isAsync = this.#isAsync;
    const isCounted = isAsync && !isLeaving;
    const hear = (given: unknown): unknown => {
      if (isCounted) asked.pending -= 1;
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
      if (isCounted) asked.pending -= 1;
      output.failed(error);
      throw error;
    };
    return function (this: unknown, given?: unknown): unknown {
      output.begins();
      if (isCounted) asked.pending += 1;
      // A generator that hangs takes notice of nothing; its consumer has left all the same.
      else if (isLeaving && asked.pending > 0) output.left();
      let result: unknown;
      try {
        // A generator's first `next` takes none, and a class may tell none from undefined.
        result =
          arguments.length === 0 ? observer.runInside(produce, undefined) : observer.runInside(produceFor, given);
      } catch (error) {
        return hearFailure(error);
      }
      if (!isAsync) return hear(result);
      const promise = types.isPromise(result) ? result : Promise.resolve(result);
      return promise.then(hear, hearFailure);
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

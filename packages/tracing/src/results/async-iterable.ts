import { isObject, methodOf, read } from '../guards/program-objects.ts';
import type { Method } from '../guards/program-objects.ts';
import { followIterator } from './iterator.ts';
import { cannotFollow, replaceMember } from './replace-member.ts';
import type { ResultObserver } from './result-observer.ts';
import type { StreamedOutput } from './streamed-output.ts';

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

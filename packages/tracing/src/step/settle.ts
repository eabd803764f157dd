import { types } from 'node:util';

/**
 * Hears how a result came out. Only the first call of `returned` or `threw` counts: a thenable may be asked many times.
 * None of its functions throws.
 */
export interface Settlement {
  /** The result is there. */
  returned(value: unknown): void;
  /** The result will never be there. */
  threw(error: unknown): void;
  /** The result is a thenable that nobody has asked for yet, such as a query builder: it may never run. */
  waits(): void;
  /** Somebody has now asked for the thenable of {@link Settlement.waits}. */
  begins(): void;
}

/**
 * Returns `result` as it is, of the same kind, and tells `settlement` when it is over. This is the one place that knows
 * kinds of results; async iterables and streams are so far over as soon as they are returned.
 *
 * - A native promise: its `then`. The original is not handed out, because our handler on it would hide an
 *   unhandled rejection of the program's.
 * - Another thenable, a subclass of Promise included: the same object with its `then` patched, never called by us,
 *   because a lazy one (a query builder) runs once per call.
 */
export function settle<Result>(result: Result, settlement: Settlement): Result {
  if (types.isPromise(result)) {
    if (Object.getPrototypeOf(result) === Promise.prototype) return followPromise(result, settlement) as Result;
    return followThenable(result, settlement);
  }
  if (isThenable(result)) return followThenable(result, settlement);
  settlement.returned(result);
  return result;
}

function followPromise(promise: Promise<unknown>, settlement: Settlement): Promise<unknown> {
  const followed = promise.then(
    (value) => {
      settlement.returned(value);
      return value;
    },
    (error: unknown) => {
      settlement.threw(error);
      throw error;
    },
  );
  // Programs hang functions on promises (`promise.cancel`).
  for (const key of Object.keys(promise)) {
    Reflect.defineProperty(followed, key, Object.getOwnPropertyDescriptor(promise, key)!);
  }
  return followed;
}

type Then = (this: unknown, onFulfilled?: unknown, onRejected?: unknown) => unknown;

function isThenable(value: unknown): value is { then: Then } {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    // A `then` that throws when looked at: `await` will throw the same into the program, where it belongs.
    return false;
  }
}

function followThenable<Result>(thenable: Result, settlement: Settlement): Result {
  const target = thenable as { then: Then };
  const original = target.then;
  let hasBegun = false;
  const then: Then = function (this: unknown, onFulfilled, onRejected) {
    if (!hasBegun) {
      hasBegun = true;
      settlement.begins();
    }
    return original.call(
      this,
      (value: unknown) => {
        settlement.returned(value);
        return typeof onFulfilled === 'function' ? (onFulfilled(value) as unknown) : value;
      },
      (error: unknown) => {
        settlement.threw(error);
        if (typeof onRejected === 'function') return onRejected(error) as unknown;
        throw error;
      },
    );
  };
  if (isDefined(target, then)) settlement.waits();
  else settlement.returned(undefined);
  return thenable;
}

/** Whether `then` could be set on `target`: not on a frozen one, nor on a Proxy that refuses. */
function isDefined(target: { then: Then }, then: Then): boolean {
  try {
    // oxlint-disable-next-line unicorn/no-thenable -- it is one already
    return Reflect.defineProperty(target, 'then', { configurable: true, writable: true, value: then });
  } catch {
    // A Proxy that throws instead of refusing: the same answer.
    return false;
  }
}

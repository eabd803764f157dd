import { types } from 'node:util';
import { activeContext, runInContext } from '../guards/context.ts';
import { isObject, methodOf } from '../guards/untrusted-values.ts';
import { isAsyncIterable } from './iterables.ts';
import { isNodeStream } from './node-stream.ts';
import { cannotFollow, replaceMethods } from './replace-members.ts';
import type { Following } from './result-observer.ts';
import { isWebStream } from './web-stream.ts';

/**
 * A plain `Promise` of any realm (a test runner's, a `node:vm` context). Instances of subclasses, and promises with a
 * `then` of their own, are followed as thenables.
 */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  if (!types.isPromise(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isDirect = prototype === Promise.prototype || isTopPrototype(prototype);
  return isDirect && !Object.hasOwn(value, 'then');
}

/** Whether the prototype directly inherits from `Object.prototype`, as `Promise.prototype` does in each realm. */
function isTopPrototype(prototype: object | null): boolean {
  if (prototype === null) return false;
  const parent = Object.getPrototypeOf(prototype) as object | null;
  return parent !== null && Object.getPrototypeOf(parent) === null;
}

/** `Promise.prototype.then` of the realm of `promise`. */
export function nativeThenOf(promise: Promise<unknown>): unknown {
  let prototype = Object.getPrototypeOf(promise) as object | null;
  while (prototype !== null && !isTopPrototype(prototype))
    prototype = Object.getPrototypeOf(prototype) as object | null;
  return (prototype as { then?: unknown } | null)?.then;
}

/**
 * Returns a promise that settles as `promise` does. The original is not returned, because our handler on it would hide
 * unhandled rejections of the program.
 */
export function followPromise(promise: Promise<unknown>, { observer, follow }: Following): Promise<unknown> {
  const followed = promise.then(follow, (error: unknown) => {
    observer.threw(error);
    throw error;
  });
  // Programs add methods to promises (`promise.cancel`).
  for (const key of Object.keys(promise)) {
    Reflect.defineProperty(followed, key, Object.getOwnPropertyDescriptor(promise, key)!);
  }
  return followed;
}

export function isThenable(value: object): value is PromiseLike<unknown> {
  return methodOf(value, 'then') !== undefined;
}

type Handler = (value: unknown) => unknown;
type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

const followedThenables = new WeakMap<object, FollowedThenable>();

/**
 * Follows an instance of a Promise subclass, a query builder, or another thenable by intercepting its methods. We call
 * none of them ourselves, because a lazy thenable starts its work at each call.
 *
 * `then`, `catch` and `finally` request the result. So does any other method that returns a new thenable, which is
 * followed in turn (`asResponse`, `withResponse`, `json`); a method that returns the object itself (`where`) does not.
 */
export function followThenable<Thenable extends object>(thenable: Thenable, following: Following): Thenable {
  let followed = followedThenables.get(thenable);
  if (followed === undefined) {
    followed = new FollowedThenable(thenable, []);
    if (!followed.attach()) {
      cannotFollow(following.observer, 'a thenable');
      return thenable;
    }
  }
  following.observer.awaitsConsumer();
  followed.add(following);
  return thenable;
}

class FollowedThenable {
  readonly #target: object;
  readonly #then: unknown;
  readonly #followings: Following[];
  /** The first value that it resolved with, and what following that returned. */
  #settled: { value: unknown; followed: unknown } | undefined;
  /** Those that were notified of the result or error. */
  readonly #notified = new Set<Following>();
  /** Whether a method of the object is running; calls that it makes on the object itself are not followed. */
  #isInMethod = false;
  /** Whether that method called `then`. */
  #calledThenInMethod = false;
  #wasRequested = false;
  /** A promise that rejects as the object does, so that an unhandled rejection is still reported. */
  #unhandled: Promise<unknown> | undefined;

  constructor(target: object, followings: Following[]) {
    this.#target = target;
    this.#then = methodOf(target, 'then');
    this.#followings = followings;
  }

  attach(): boolean {
    followedThenables.set(this.#target, this);
    const isReplaced = replaceMethods(this.#target, 'then', createInterceptor);
    if (!isReplaced) followedThenables.delete(this.#target);
    return isReplaced;
  }

  /** Adds a step or conversation that returned the same object, as nested steps do. */
  add(following: Following): void {
    this.#followings.push(following);
    this.observeStarted();
  }

  /**
   * An instance of a Promise subclass that inherits `then` has already started, and completes when it settles, whether
   * or not it is awaited. Observing it must not count as handling its rejection, so our promise rejects too, and is
   * handled only once the program calls `then`.
   */
  observeStarted(): void {
    const target = this.#target;
    if (!types.isPromise(target) || this.#then !== nativeThenOf(target)) return;
    this.#consumptionStarted();
    const observed = thenWithoutSubclass(
      target,
      (value) => void this.#resolvedWith(value),
      (error) => {
        this.#rejectedWith(error);
        throw error;
      },
    );
    if (this.#wasRequested || this.#unhandled !== undefined) observed?.catch(() => {});
    else this.#unhandled = observed;
  }

  get isOver(): boolean {
    return this.#followings.every(({ observer }) => observer.isOver);
  }

  /** Called in place of `then`, `catch` and `finally`. */
  request(original: AnyMethod, name: 'then' | 'catch' | 'finally', args: unknown[]): unknown {
    this.#wasRequested = true;
    this.#unhandled?.catch(() => {});
    this.#consumptionStarted();
    let returned: unknown;
    try {
      returned = this.#call(original, this.#handlersInPlaceOf(name, args));
    } catch (error) {
      this.#rejectedWith(error);
      throw error;
    }
    const followed = name === 'then' ? returned : this.#followReturned(returned);
    this.#calledThenInMethod = true;
    return followed;
  }

  /**
   * Wraps handlers so that they run in the context in which they were passed, although the work runs in that of the
   * step.
   */
  #handlersInPlaceOf(name: 'then' | 'catch' | 'finally', args: unknown[]): unknown[] {
    const caller = activeContext();
    const onValue = (handler: unknown) => (value: unknown) => {
      const followed = this.#resolvedWith(value);
      return typeof handler === 'function' ? runInContext(caller, handler as Handler, followed) : followed;
    };
    const onError = (handler: unknown) => (error: unknown) => {
      this.#rejectedWith(error);
      if (typeof handler === 'function') return runInContext(caller, handler as Handler, error);
      throw error;
    };
    const [first, second, ...rest] = args;
    if (name === 'then') return [onValue(first), onError(second), ...rest];
    if (typeof first !== 'function') return args;
    if (name === 'catch') return [onError(first), ...args.slice(1)];
    return [() => runInContext(caller, first as Handler, undefined), ...args.slice(1)];
  }

  /** Called in place of any other method. */
  call(original: AnyMethod, args: unknown[]): unknown {
    if (this.#isInMethod) return original.apply(this.#target, args);
    const returned = this.#call(original, args);
    return isObject(returned) && args.includes(returned) ? returned : this.#followReturned(returned);
  }

  #call(original: AnyMethod, args: unknown[]): unknown {
    this.#calledThenInMethod = false;
    const wasInMethod = this.#isInMethod;
    this.#isInMethod = true;
    try {
      return this.#followings[0]!.observer.runProducer((all: unknown[]) => original.apply(this.#target, all), args);
    } finally {
      this.#isInMethod = wasInMethod;
    }
  }

  /**
   * Follows what a method returned, unless the method called `then` itself. That call is followed already, and the
   * returned promise may be one whose rejection the library handles; a promise derived from it would be unhandled.
   */
  #followReturned(result: unknown): unknown {
    if (!isObject(result) || result === this.#target || this.#calledThenInMethod || this.isOver) return result;
    if (isNativePromise(result)) {
      this.#consumptionStarted();
      return result.then(
        (value) => this.#resolvedWith(value),
        (error: unknown) => {
          this.#rejectedWith(error);
          throw error;
        },
      );
    }
    if (isThenable(result)) {
      if (followedThenables.has(result)) return result;
      const child = new FollowedThenable(result, this.#followings);
      if (child.attach()) child.observeStarted();
      return result;
    }
    if (!isNodeStream(result) && !isWebStream(result) && !isAsyncIterable(result)) return result;
    return this.#followings.reduce<unknown>((value, { follow }) => follow(value), result);
  }

  #consumptionStarted(): void {
    for (const { observer } of this.#followings) observer.consumptionStarted();
  }

  #resolvedWith(value: unknown): unknown {
    this.#settled ??= { value, followed: value };
    const isFirst = value === this.#settled.value;
    let followed = isFirst ? this.#settled.followed : value;
    for (const following of this.#takeUnnotified()) followed = following.follow(followed);
    if (isFirst) this.#settled.followed = followed;
    return followed;
  }

  #rejectedWith(error: unknown): void {
    for (const { observer } of this.#takeUnnotified()) observer.threw(error);
  }

  #takeUnnotified(): Following[] {
    const unnotified = this.#followings.filter((following) => !this.#notified.has(following));
    for (const following of unnotified) this.#notified.add(following);
    return unnotified;
  }
}

/**
 * As `promise.then`, but without calling the constructor of the subclass, which is the program's: returns a plain
 * promise.
 */
function thenWithoutSubclass(
  promise: Promise<unknown>,
  onValue: (value: unknown) => unknown,
  onError: (error: unknown) => unknown,
): Promise<unknown> | undefined {
  const own = Object.getOwnPropertyDescriptor(promise, 'constructor');
  if (!Reflect.defineProperty(promise, 'constructor', { configurable: true, value: Promise })) return undefined;
  try {
    return Promise.prototype.then.call(promise, onValue, onError);
  } finally {
    if (own === undefined) Reflect.deleteProperty(promise, 'constructor');
    else Reflect.defineProperty(promise, 'constructor', own);
  }
}

/**
 * Creates the replacement of the method `name`. On objects that are not followed but share it, the original is called.
 */
function createInterceptor(name: PropertyKey, original: AnyMethod): AnyMethod {
  if (name === 'then' || name === 'catch' || name === 'finally') {
    return function (this: unknown, ...args: unknown[]): unknown {
      const followed = isObject(this) ? followedThenables.get(this) : undefined;
      return followed === undefined ? original.apply(this, args) : followed.request(original, name, args);
    };
  }
  return function (this: unknown, ...args: unknown[]): unknown {
    const followed = isObject(this) ? followedThenables.get(this) : undefined;
    return followed === undefined ? original.apply(this, args) : followed.call(original, args);
  };
}

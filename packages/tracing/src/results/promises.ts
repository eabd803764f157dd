import { types } from 'node:util';
import { activeContext, runInContext } from '../guards/context.ts';
import { isObject, methodOf } from '../guards/given-values.ts';
import { isAsyncIterable } from './iterables.ts';
import { isNodeStream } from './node-stream.ts';
import { cannotFollow, replaceMethods } from './replace-members.ts';
import type { Following } from './result-observer.ts';
import { isWebStream } from './web-stream.ts';

/**
 * A promise of the language itself, of whatever realm (a test runner's, a `node:vm` context). Subclasses, and promises
 * with a `then` of their own, have other doors: they are thenables.
 */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  if (!types.isPromise(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isDirect = prototype === Promise.prototype || isTopPrototype(prototype);
  return isDirect && !Object.hasOwn(value, 'then');
}

/** Whether only `Object.prototype` stands above, as above `Promise.prototype` in each realm. */
function isTopPrototype(prototype: object | null): boolean {
  if (prototype === null) return false;
  const above = Object.getPrototypeOf(prototype) as object | null;
  return above !== null && Object.getPrototypeOf(above) === null;
}

/** `then` of the promises of the realm that `promise` is of. */
export function nativeThenOf(promise: Promise<unknown>): unknown {
  let prototype = Object.getPrototypeOf(promise) as object | null;
  while (prototype !== null && !isTopPrototype(prototype))
    prototype = Object.getPrototypeOf(prototype) as object | null;
  return (prototype as { then?: unknown } | null)?.then;
}

/**
 * A promise that settles as `promise` does. The original is not handed out, because our handler on it would hide an
 * unhandled rejection of the program's.
 */
export function followPromise(promise: Promise<unknown>, { observer, follow }: Following): Promise<unknown> {
  const followed = promise.then(follow, (error: unknown) => {
    observer.threw(error);
    throw error;
  });
  // Programs hang functions on promises (`promise.cancel`).
  for (const key of Object.keys(promise)) {
    Reflect.defineProperty(followed, key, Object.getOwnPropertyDescriptor(promise, key)!);
  }
  return followed;
}

export function isThenable(value: object): value is PromiseLike<unknown> {
  return methodOf(value, 'then') !== undefined;
}

type Handler = (value: unknown) => unknown;
type AnyMethod = (this: unknown, ...given: unknown[]) => unknown;

const asked = new WeakMap<object, FollowedThenable>();

/**
 * Follows a subclass of Promise, a query builder, or another thenable: the same object, whose methods tell us when they
 * are called. None is called by us, because a lazy one starts its work at each call.
 *
 * `then`, `catch` and `finally` ask for the result. Any other method does when it returns a new thenable, which is
 * followed in turn (`asResponse`, `withResponse`, `json`); one that returns the object itself (`where`) asks nothing.
 */
export function followThenable<Thenable extends object>(thenable: Thenable, following: Following): Thenable {
  let followed = asked.get(thenable);
  if (followed === undefined) {
    followed = new FollowedThenable(thenable, []);
    if (!followed.attach()) {
      cannotFollow(following.observer, 'a thenable');
      return thenable;
    }
  }
  following.observer.waits();
  followed.add(following);
  return thenable;
}

class FollowedThenable {
  readonly #target: object;
  readonly #then: unknown;
  readonly #followings: Following[];
  /** The first result, and what it became when it was followed. */
  #settled: { value: unknown; followed: unknown } | undefined;
  /** Who was told the result, or the failure. */
  readonly #told = new Set<Following>();
  /** Inside a method of the object: what it calls of its own is its own affair. */
  #isInside = false;
  #hasAskedInside = false;
  #wasAsked = false;
  /** Rejects where the object does, so that nobody's handling it is noticed. */
  #unhandled: Promise<unknown> | undefined;

  constructor(target: object, followings: Following[]) {
    this.#target = target;
    this.#then = methodOf(target, 'then');
    this.#followings = followings;
  }

  attach(): boolean {
    asked.set(this.#target, this);
    const isReplaced = replaceMethods(this.#target, 'then', doorFor);
    if (!isReplaced) asked.delete(this.#target);
    return isReplaced;
  }

  /** One more step, or the conversation, waits for the object: steps inside each other, or beside each other, return it. */
  add(following: Following): void {
    this.#followings.push(following);
    this.watchBase();
  }

  /**
   * A subclass of Promise that keeps the `then` of Promise is under way already, and is over when it settles, whenever
   * it is asked. Observing it must not make its rejection a handled one: the promise of our own that rejects beside it is
   * handled when the program asks.
   */
  watchBase(): void {
    const target = this.#target;
    if (!types.isPromise(target) || this.#then !== nativeThenOf(target)) return;
    this.#begins();
    const observed = thenWithoutSubclass(
      target,
      (value) => void this.#settledWith(value),
      (error) => {
        this.#failedWith(error);
        throw error;
      },
    );
    if (this.#wasAsked || this.#unhandled !== undefined) observed?.catch(() => {});
    else this.#unhandled = observed;
  }

  get isOver(): boolean {
    return this.#followings.every(({ observer }) => observer.isOver);
  }

  /** `then`, `catch`, `finally`. */
  ask(original: AnyMethod, name: 'then' | 'catch' | 'finally', given: unknown[]): unknown {
    this.#wasAsked = true;
    this.#unhandled?.catch(() => {});
    this.#begins();
    let answer: unknown;
    try {
      answer = this.#call(original, this.#handlersInPlaceOf(name, given));
    } catch (error) {
      this.#failedWith(error);
      throw error;
    }
    const followed = name === 'then' ? answer : this.#followAnswer(answer);
    this.#hasAskedInside = true;
    return followed;
  }

  /** The program's functions run where they were given to us, although the work runs inside the step. */
  #handlersInPlaceOf(name: 'then' | 'catch' | 'finally', given: unknown[]): unknown[] {
    const caller = activeContext();
    const onValue = (handler: unknown) => (value: unknown) => {
      const followed = this.#settledWith(value);
      return typeof handler === 'function' ? runInContext(caller, handler as Handler, followed) : followed;
    };
    const onError = (handler: unknown) => (error: unknown) => {
      this.#failedWith(error);
      if (typeof handler === 'function') return runInContext(caller, handler as Handler, error);
      throw error;
    };
    const [first, second, ...rest] = given;
    if (name === 'then') return [onValue(first), onError(second), ...rest];
    if (typeof first !== 'function') return given;
    if (name === 'catch') return [onError(first), ...given.slice(1)];
    return [() => runInContext(caller, first as Handler, undefined), ...given.slice(1)];
  }

  /** Any other method. */
  call(original: AnyMethod, given: unknown[]): unknown {
    if (this.#isInside) return original.apply(this.#target, given);
    const result = this.#call(original, given);
    return isObject(result) && given.includes(result) ? result : this.#followAnswer(result);
  }

  #call(original: AnyMethod, given: unknown[]): unknown {
    this.#hasAskedInside = false;
    const wasInside = this.#isInside;
    this.#isInside = true;
    try {
      return this.#followings[0]!.observer.runInside((all: unknown[]) => original.apply(this.#target, all), given);
    } finally {
      this.#isInside = wasInside;
    }
  }

  /**
   * Follows what a method gave. Where it went through `then` itself, that is followed already, and what it gave may be a
   * promise whose rejection it handles: one derived from it would be an unhandled one.
   */
  #followAnswer(result: unknown): unknown {
    if (!isObject(result) || result === this.#target || this.#hasAskedInside || this.isOver) return result;
    if (isNativePromise(result)) {
      this.#begins();
      return result.then(
        (value) => this.#settledWith(value),
        (error: unknown) => {
          this.#failedWith(error);
          throw error;
        },
      );
    }
    if (isThenable(result)) {
      if (asked.has(result)) return result;
      const child = new FollowedThenable(result, this.#followings);
      if (child.attach()) child.watchBase();
      return result;
    }
    if (!isNodeStream(result) && !isWebStream(result) && !isAsyncIterable(result)) return result;
    return this.#followings.reduce<unknown>((value, { follow }) => follow(value), result);
  }

  #begins(): void {
    for (const { observer } of this.#followings) observer.begins();
  }

  #settledWith(value: unknown): unknown {
    this.#settled ??= { value, followed: value };
    const isFirst = value === this.#settled.value;
    let followed = isFirst ? this.#settled.followed : value;
    for (const following of this.#untold()) followed = following.follow(followed);
    if (isFirst) this.#settled.followed = followed;
    return followed;
  }

  #failedWith(error: unknown): void {
    for (const { observer } of this.#untold()) observer.threw(error);
  }

  #untold(): Following[] {
    const untold = this.#followings.filter((following) => !this.#told.has(following));
    for (const following of untold) this.#told.add(following);
    return untold;
  }
}

/** `then` of Promise itself gives a promise of the subclass, whose constructor is the program's; this gives a plain one. */
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

/** Stands in for the method `name`; objects that borrow it, or inherit from a followed one, get the original. */
function doorFor(name: PropertyKey, original: AnyMethod): AnyMethod {
  if (name === 'then' || name === 'catch' || name === 'finally') {
    return function (this: unknown, ...given: unknown[]): unknown {
      const followed = isObject(this) ? asked.get(this) : undefined;
      return followed === undefined ? original.apply(this, given) : followed.ask(original, name, given);
    };
  }
  return function (this: unknown, ...given: unknown[]): unknown {
    const followed = isObject(this) ? asked.get(this) : undefined;
    return followed === undefined ? original.apply(this, given) : followed.call(original, given);
  };
}

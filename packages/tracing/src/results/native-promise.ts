import { types } from 'node:util';
import type { Following } from './result-observer.ts';

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

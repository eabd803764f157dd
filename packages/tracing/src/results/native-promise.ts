import { types } from 'node:util';
import type { Following } from './result-observer.ts';

/** A promise of the language itself; subclasses have doors of their own and are thenables. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value) && Object.getPrototypeOf(value) === Promise.prototype;
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

import { types } from 'node:util';
import { isObject, read } from '../guards/given-values.ts';
import { reportTrouble } from '../guards/warnings.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { Following, ResultOptions } from './result-observer.ts';

/**
 * Follows the part of `result` that the option `until` names, `(result) => result.textStream`, and gives `result` back.
 *
 * A getter is not called for it: `textStream` of the Vercel AI SDK splits the stream each time it is looked at. So
 * `until` runs on a Proxy that only notes which getter it wants, and what the program gets from that getter is followed.
 */
export function followUntil<Result extends object>(
  result: Result,
  until: NonNullable<ResultOptions['until']>,
  following: Following,
): Result {
  const { observer, follow } = following;
  const wanted = askUntil(result, until);
  if (wanted === undefined) {
    observer.returned(undefined);
    return result;
  }
  if (wanted.getter !== undefined) {
    observer.waits();
    if (!replaceGetter(result, wanted.getter, follow)) {
      reportTrouble(`${observer.label}: until names ${String(wanted.getter)}, which cannot be followed`);
      observer.returned(undefined);
    }
    return result;
  }
  const part = wanted.value;
  const followed = follow(part);
  if (followed === part) return result;
  // A promise or a plain stream has an equivalent, which the program must get in its place.
  const key = Reflect.ownKeys(result).find((each) => read(result, each) === part);
  const isHandedOut = key !== undefined && replaceMember(result, key, followed);
  // A promise that only we hold, such as one that `until` made, must not become an unhandled rejection.
  if (!isHandedOut && types.isPromise(followed)) followed.catch(() => {});
  else if (!isHandedOut) cannotFollow(observer, 'an object with a stream');
  return result;
}

interface Wanted {
  /** The getter that was named. */
  getter?: PropertyKey;
  value?: unknown;
}

function askUntil(result: object, until: (result: never) => unknown): Wanted | undefined {
  const noted = new Map<unknown, PropertyKey>();
  const noting = new Proxy(result, {
    get(target, key) {
      if (!isGetter(target, key)) return read(target, key);
      const placeholder = {};
      noted.set(placeholder, key);
      return placeholder;
    },
  });
  try {
    const value = until(noting as never);
    const getter = noted.get(value);
    if (getter !== undefined) return { getter };
    if (noted.size === 0) return isObject(value) ? { value } : undefined;
  } catch {
    // It does more with the getter's value than name it; it is asked again with the result itself.
  }
  try {
    return { value: until(result as never) };
  } catch (error) {
    reportTrouble('asking the option until', error);
    return undefined;
  }
}

function isGetter(source: object, key: PropertyKey): boolean {
  return getterOf(source, key) !== undefined;
}

function getterOf(source: object, key: PropertyKey): (() => unknown) | undefined {
  let level: object | null = source;
  while (level !== null) {
    const descriptor = Object.getOwnPropertyDescriptor(level, key);
    if (descriptor !== undefined) return descriptor.get;
    level = Object.getPrototypeOf(level) as object | null;
  }
  return undefined;
}

function replaceGetter(result: object, key: PropertyKey, follow: Following['follow']): boolean {
  const original = getterOf(result, key)!;
  let value: unknown;
  let followed: unknown;
  const get = function (this: object): unknown {
    const current = original.call(this);
    if (current !== value || !isObject(current)) {
      value = current;
      followed = follow(current);
    }
    return followed;
  };
  try {
    return Reflect.defineProperty(result, key, { configurable: true, get });
  } catch {
    return false;
  }
}

import { reportTrouble } from '../guards/warnings.ts';
import type { ResultObserver } from './result-observer.ts';

/** Any function of the program's; `this` and arguments go through it unchanged. */
export type Method = (this: unknown, ...given: never[]) => unknown;

/** The property `key` of `source`; undefined where reading it throws, as the program will see for itself. */
export function read(source: unknown, key: PropertyKey): unknown {
  try {
    return (source as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The method `key` of `source`, where it has one. */
export function methodOf(source: object, key: PropertyKey): Method | undefined {
  const value = read(source, key);
  return typeof value === 'function' ? (value as Method) : undefined;
}

/**
 * Sets `target[key]` to `value` on the object itself, visible in `Object.keys` only where it was before.
 * False where it does not take: a frozen object, a Proxy that refuses.
 */
export function replaceMember(target: object, key: PropertyKey, value: unknown): boolean {
  try {
    const own = Reflect.getOwnPropertyDescriptor(target, key);
    const enumerable = own?.enumerable ?? false;
    return (
      Reflect.defineProperty(target, key, { configurable: true, writable: true, enumerable, value }) &&
      (target as Record<PropertyKey, unknown>)[key] === value
    );
  } catch {
    // A Proxy that throws instead of refusing: the same answer.
    return false;
  }
}

const MAX_REMEMBERED_LABELS = 1000;
const warned = new Set<string>();

/** The result goes back untouched and unobserved; said once for each step name. */
export function cannotFollow(observer: ResultObserver, kind: string): void {
  observer.returned(undefined);
  const key = `${observer.label} ${kind}`;
  if (warned.has(key) || warned.size >= MAX_REMEMBERED_LABELS) return;
  warned.add(key);
  reportTrouble(
    `${observer.label} returned ${kind} that cannot be changed (frozen, or a Proxy that refuses), so its span ends ` +
      'when the function returns, not when the work is over. Return the object before it is frozen, or await it ' +
      'inside the step',
  );
}

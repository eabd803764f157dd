import { warnOnce } from '../guards/warnings.ts';
import type { ResultObserver } from './result-observer.ts';

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

/** A program may put ids into names of steps. */
const MAX_REMEMBERED_LABELS = 1000;
const warned = new Set<string>();

/** The result goes back untouched and unobserved; said once for each step name. */
export function cannotFollow(observer: ResultObserver, kind: string): void {
  observer.returned(undefined);
  const key = `${observer.label} ${kind}`;
  if (warned.has(key) || warned.size >= MAX_REMEMBERED_LABELS) return;
  warned.add(key);
  warnOnce(
    key,
    `${observer.label} returned ${kind} that cannot be changed (frozen, or a Proxy that refuses), so its span ends ` +
      'when the function returns, not when the work is over. Return the object before it is frozen, or await it ' +
      'inside the step.',
  );
}

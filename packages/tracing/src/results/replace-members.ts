import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { methodOf } from '../guards/given-values.ts';
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

type AnyMethod = (this: unknown, ...given: unknown[]) => unknown;

/** Makes what stands in for a method; it finds out by `this` whom it was called on. */
type DoorFor = (name: PropertyKey, original: AnyMethod) => AnyMethod;

/** Prototypes in whose place one with doors stands, each made once, however many objects there are. */
const prototypesWithDoors = new WeakMap<object, object>();
const doors = new WeakSet<object>();

/**
 * Replaces all methods of `target`: its own ones on the object, inherited ones by a prototype put before its own. So
 * libraries that copy an object's own properties to another (got) do not copy inherited methods with them.
 * False, and nothing is changed, where `required` cannot be replaced. `doorFor` must be the same function each time.
 */
export function replaceMethods(target: object, required: PropertyKey, doorFor: DoorFor): boolean {
  if (Object.hasOwn(target, required) && !replaceOwn(target, required, doorFor)) return false;
  const prototype = Object.getPrototypeOf(target) as object | null;
  if (!Object.hasOwn(target, required) && !inheritedMethods(prototype).includes(required)) return false;
  if (types.isProxy(target)) {
    // A Proxy would pass a new prototype on to its target, which is another object.
    for (const key of inheritedMethods(prototype)) replaceOwn(target, key, doorFor);
  } else if (prototype !== null && inheritedMethods(prototype).length > 0) {
    if (!Object.isExtensible(target)) return false;
    Object.setPrototypeOf(target, prototypeWithDoors(prototype, doorFor));
  }
  const replaced = methodOf(target, required);
  if (replaced === undefined || !doors.has(replaced)) return false;
  for (const key of Reflect.ownKeys(target)) {
    if (key !== required && isMethod(Object.getOwnPropertyDescriptor(target, key), key))
      replaceOwn(target, key, doorFor);
  }
  return true;
}

function replaceOwn(target: object, key: PropertyKey, doorFor: DoorFor): boolean {
  const original = methodOf(target, key);
  return original !== undefined && replaceMember(target, key, door(key, original as AnyMethod, doorFor));
}

function door(key: PropertyKey, original: AnyMethod, doorFor: DoorFor): AnyMethod {
  if (doors.has(original)) return original;
  const made = doorFor(key, original);
  doors.add(made);
  return made;
}

function prototypeWithDoors(prototype: object, doorFor: DoorFor): object {
  const known = prototypesWithDoors.get(prototype);
  if (known !== undefined) return known;
  const withDoors = Object.create(prototype) as object;
  for (const key of inheritedMethods(prototype)) {
    const value = door(key, methodOf(prototype, key) as AnyMethod, doorFor);
    Reflect.defineProperty(withDoors, key, { configurable: true, writable: true, value });
  }
  prototypesWithDoors.set(prototype, withDoors);
  // An object that has doors already keeps them.
  prototypesWithDoors.set(withDoors, withDoors);
  return withDoors;
}

const methodsOfPrototypes = new WeakMap<object, readonly PropertyKey[]>();

/** Names of the methods that `prototype` and those above it have; not those of any object, nor of an event emitter. */
function inheritedMethods(prototype: object | null): readonly PropertyKey[] {
  if (prototype === null) return [];
  const known = methodsOfPrototypes.get(prototype);
  if (known !== undefined) return known;
  const names = new Set<PropertyKey>();
  let level: object | null = prototype;
  while (level !== null && level !== Object.prototype && level !== Function.prototype) {
    for (const key of Reflect.ownKeys(level)) {
      if (isMethod(Object.getOwnPropertyDescriptor(level, key), key)) names.add(key);
    }
    level = Object.getPrototypeOf(level) as object | null;
  }
  const methods = [...names];
  methodsOfPrototypes.set(prototype, methods);
  return methods;
}

/** Accessors are left alone, because looking at one may start something; so are classes, which are no methods. */
function isMethod(descriptor: PropertyDescriptor | undefined, key: PropertyKey): boolean {
  if (typeof descriptor?.value !== 'function' || key === 'constructor' || key in EventEmitter.prototype) return false;
  // By convention not for the program to call; libraries do, often and from anywhere (bluebird).
  if (typeof key === 'string' && key.startsWith('_')) return false;
  return Object.getOwnPropertyDescriptor(descriptor.value, 'prototype')?.writable !== false;
}

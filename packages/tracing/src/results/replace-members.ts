import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { methodOf } from '../guards/untrusted-values.ts';
import { warnOnce } from '../guards/warnings.ts';
import type { ResultObserver } from './result-observer.ts';

/**
 * Sets `target[key]` to `value` as an own property, which is enumerable only if it was before.
 * False if that is not possible: a frozen object, or a Proxy that rejects it.
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
    // A Proxy whose trap throws instead of returning false.
    return false;
  }
}

/** Limits memory and warnings in programs that put ids into step names. */
const MAX_REMEMBERED_LABELS = 1000;
const warned = new Set<string>();

/** Ends the observation of a result that is returned unchanged, and warns once per step name. */
export function cannotFollow(observer: ResultObserver, kind: string): void {
  observer.returned(undefined);
  const key = `${observer.label} ${kind}`;
  if (warned.has(key) || warned.size >= MAX_REMEMBERED_LABELS) return;
  warned.add(key);
  warnOnce(
    key,
    `${observer.label} returned ${kind} that cannot be modified (it is frozen, or a Proxy that rejects changes), so its ` +
      'span ends when the function returns, not when the work is done. Return the object before it is frozen, or ' +
      'await it inside the step.',
  );
}

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/** Creates the replacement of a method, which identifies the object it is called on by `this`. */
type CreateInterceptor = (name: PropertyKey, original: AnyMethod) => AnyMethod;

/** The intercepting prototype of each original one, created once however many objects there are. */
const interceptingPrototypes = new WeakMap<object, object>();
const interceptors = new WeakSet<object>();

/**
 * Replaces all methods of `target`: its own ones on the object, and inherited ones by inserting a prototype before its
 * own, so that libraries that copy the own properties of an object to another (got) do not copy them.
 * False, with nothing changed, if `required` cannot be replaced. `createInterceptor` must be the same function each
 * time.
 */
export function replaceMethods(target: object, required: PropertyKey, createInterceptor: CreateInterceptor): boolean {
  if (Object.hasOwn(target, required) && !replaceOwn(target, required, createInterceptor)) return false;
  const prototype = Object.getPrototypeOf(target) as object | null;
  if (!Object.hasOwn(target, required) && !inheritedMethods(prototype).includes(required)) return false;
  if (types.isProxy(target)) {
    // Setting the prototype of a Proxy would set that of its target, which is another object.
    for (const key of inheritedMethods(prototype)) replaceOwn(target, key, createInterceptor);
  } else if (prototype !== null && inheritedMethods(prototype).length > 0) {
    if (!Object.isExtensible(target)) return false;
    Object.setPrototypeOf(target, interceptingPrototype(prototype, createInterceptor));
  }
  const replaced = methodOf(target, required);
  if (replaced === undefined || !interceptors.has(replaced)) return false;
  for (const key of Reflect.ownKeys(target)) {
    if (key !== required && isMethod(Object.getOwnPropertyDescriptor(target, key), key))
      replaceOwn(target, key, createInterceptor);
  }
  return true;
}

function replaceOwn(target: object, key: PropertyKey, createInterceptor: CreateInterceptor): boolean {
  const original = methodOf(target, key);
  return (
    original !== undefined && replaceMember(target, key, interceptorOf(key, original as AnyMethod, createInterceptor))
  );
}

function interceptorOf(key: PropertyKey, original: AnyMethod, createInterceptor: CreateInterceptor): AnyMethod {
  if (interceptors.has(original)) return original;
  const interceptor = createInterceptor(key, original);
  interceptors.add(interceptor);
  return interceptor;
}

function interceptingPrototype(prototype: object, createInterceptor: CreateInterceptor): object {
  const known = interceptingPrototypes.get(prototype);
  if (known !== undefined) return known;
  const intercepting = Object.create(prototype) as object;
  for (const key of inheritedMethods(prototype)) {
    const value = interceptorOf(key, methodOf(prototype, key) as AnyMethod, createInterceptor);
    Reflect.defineProperty(intercepting, key, { configurable: true, writable: true, value });
  }
  interceptingPrototypes.set(prototype, intercepting);
  // An object whose methods are already intercepted keeps its prototype.
  interceptingPrototypes.set(intercepting, intercepting);
  return intercepting;
}

const methodsOfPrototypes = new WeakMap<object, readonly PropertyKey[]>();

/** Names of the methods of `prototype` and its prototypes, except those of `Object` and of event emitters. */
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

/** Excludes accessors, because reading one may have side effects, and classes, which are not methods. */
function isMethod(descriptor: PropertyDescriptor | undefined, key: PropertyKey): boolean {
  if (typeof descriptor?.value !== 'function' || key === 'constructor' || key in EventEmitter.prototype) return false;
  // Private by convention; libraries call them often and from anywhere (bluebird).
  if (typeof key === 'string' && key.startsWith('_')) return false;
  return Object.getOwnPropertyDescriptor(descriptor.value, 'prototype')?.writable !== false;
}

import type { AttributeValue } from '@opentelemetry/api';
import { reportTrouble } from './warnings.ts';

/** A copy of `options`, so that a getter that throws does so here, once; then there are none. */
export function readOptions<Options extends object>(options: Options | undefined): Partial<Options> {
  try {
    return { ...options };
  } catch (error) {
    reportTrouble('reading options', error);
    return {};
  }
}

/** `given` where it is a text that says something. */
export function textFrom(given: unknown): string | undefined {
  return typeof given === 'string' && given !== '' ? given : undefined;
}

/** `given` where it is a signal. One of another realm, or of a polyfill, counts too. */
export function signalFrom(given: unknown): AbortSignal | undefined {
  const isSignal =
    typeof given === 'object' &&
    given !== null &&
    typeof (given as AbortSignal).aborted === 'boolean' &&
    typeof (given as AbortSignal).addEventListener === 'function';
  return isSignal ? (given as AbortSignal) : undefined;
}

/**
 * Hands each attribute that OpenTelemetry can carry to `take`. Left out are a getter that throws and a number that is
 * not finite: as OTLP/JSON it would become null, and collectors refuse the whole batch for it.
 */
export function eachAttribute(given: unknown, take: (name: string, value: AttributeValue) => void): void {
  if (typeof given !== 'object' || given === null) return;
  const source = given as Record<string, unknown>;
  for (const name of namesOf(source)) {
    try {
      const value = safeValue(source[name]);
      if (value !== undefined) take(name, value);
    } catch (error) {
      reportTrouble('reading an attribute', error);
    }
  }
}

function namesOf(source: object): string[] {
  try {
    return Object.keys(source);
  } catch (error) {
    reportTrouble('reading attributes', error);
    return [];
  }
}

function safeValue(value: unknown): AttributeValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'object':
      return Array.isArray(value) ? safeArray(value) : undefined;
    default:
      return undefined;
  }
}

function safeArray(values: readonly unknown[]): AttributeValue | undefined {
  const kept = values.filter((value) => value === null || value === undefined || isSafeElement(value));
  return kept.length === values.length ? (kept as AttributeValue) : undefined;
}

function isSafeElement(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

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

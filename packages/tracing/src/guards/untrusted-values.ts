import type { AttributeValue } from '@opentelemetry/api';
import { reportInternalError } from './warnings.ts';

/** A copy of `options`, so that each getter is read once. If one throws, it is reported and no option applies. */
export function readOptions<Options extends object>(options: Options | undefined): Partial<Options> {
  try {
    return { ...options };
  } catch (error) {
    reportInternalError('reading options', error);
    return {};
  }
}

/** `value` if it is a non-empty string. */
export function nonEmptyString(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `value` if it is an `AbortSignal`, including one of another realm or of a polyfill. */
export function signalFrom(value: unknown): AbortSignal | undefined {
  const isSignal =
    typeof value === 'object' &&
    value !== null &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function';
  return isSignal ? (value as AbortSignal) : undefined;
}

/**
 * Calls `take` with each attribute that OpenTelemetry can represent. Getters that throw are skipped, and so are
 * numbers that are not finite: OTLP/JSON would encode them as null, and collectors reject the whole batch for it.
 */
export function eachAttribute(value: unknown, take: (name: string, value: AttributeValue) => void): void {
  if (typeof value !== 'object' || value === null) return;
  const source = value as Record<string, unknown>;
  for (const name of namesOf(source)) {
    try {
      const value = safeValue(source[name]);
      if (value !== undefined) take(name, value);
    } catch (error) {
      reportInternalError('reading an attribute', error);
    }
  }
}

function namesOf(source: object): string[] {
  try {
    return Object.keys(source);
  } catch (error) {
    reportInternalError('reading attributes', error);
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

/** A method of an object of the program, called with `this` and arguments unchanged. */
export type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * The property `key` of `source`; undefined if reading it throws, because the program gets that error when it reads it.
 */
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

export function methodOf(source: object, key: PropertyKey): Method | undefined {
  const value = read(source, key);
  return typeof value === 'function' ? (value as Method) : undefined;
}

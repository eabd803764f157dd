import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { reportTrouble } from './report-trouble.ts';

/**
 * Copies `given` into `target`, leaving out what OpenTelemetry cannot carry: a getter that throws, a number that is
 * not finite (as OTLP/JSON it would become null, and collectors refuse the whole batch for it).
 */
export function addSafeAttributes(target: Attributes, given: unknown): void {
  if (typeof given !== 'object' || given === null) return;
  const source = given as Record<string, unknown>;
  for (const key of keysOf(source)) {
    try {
      const value = safeValue(source[key]);
      if (value !== undefined) target[key] = value;
    } catch (error) {
      reportTrouble('reading an attribute', error);
    }
  }
}

function keysOf(source: object): string[] {
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
  const kept = values.filter((value) => value === null || value === undefined || safeElement(value));
  return kept.length === values.length ? (kept as AttributeValue) : undefined;
}

function safeElement(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

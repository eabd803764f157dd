import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/**
 * Removes attributes that are NaN or infinite from spans of whatever origin. In OTLP/JSON they become null, and a
 * collector refuses the whole batch for one of them (protobuf JSON mapping: a double is a number or a named string).
 */
export function dropNonFiniteNumbers(spans: readonly ReadableSpan[]): void {
  for (const { attributes, events } of spans) {
    dropFrom(attributes);
    for (const event of events) {
      if (event.attributes !== undefined) dropFrom(event.attributes);
    }
  }
}

function dropFrom(attributes: Attributes): void {
  for (const name in attributes) {
    const value = attributes[name];
    if (isNonFinite(value) || (Array.isArray(value) && value.some(isNonFinite))) delete attributes[name];
  }
}

function isNonFinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

import type { AnyQuestion } from '../../questions.ts';
import type { Answer } from '../../model/coverage.ts';

/**
 * An answer as JSON: 64-bit integers as decimal strings, NaN as null, the infinities as strings, typed arrays as
 * arrays. `decodeAnswer` makes the same answer of it again.
 */
export function encodeAnswer(question: AnyQuestion, answer: Answer<unknown>): string {
  return JSON.stringify({ question: question.name, ...answer }, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'number' && Math.abs(value) === Infinity) return String(value);
    if (value instanceof BigInt64Array || value instanceof Float64Array) return Array.from<unknown>(value);
    if (value instanceof Uint8Array || value instanceof Uint32Array) return Array.from(value);
    return value;
  });
}

import { isJsonObject } from './json-fields.ts';

/** Largest value of a whole-number attribute that is given a field; the stores keep 31 bits. */
const LARGEST_WHOLE_NUMBER = 0x7fff_ffff;

/** The string of an OTLP `AnyValue`; absent when it holds something else. */
export function stringOf(value: unknown): string | undefined {
  return isJsonObject(value) && typeof value['stringValue'] === 'string' ? value['stringValue'] : undefined;
}

/** The whole number from `least` to 2^31 − 1 in an OTLP `AnyValue`; absent when it holds something else. */
export function wholeNumberOf(value: unknown, least: number): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= least && number <= LARGEST_WHOLE_NUMBER
    ? number
    : undefined;
}

/** The finite number in an OTLP `AnyValue`; absent when it holds something else, or NaN or an infinity. */
export function numberOf(value: unknown): number | undefined {
  if (!isJsonObject(value)) return undefined;
  const { doubleValue, intValue } = value;
  // OTLP/JSON sends 64-bit integers as strings.
  const number = doubleValue ?? (typeof intValue === 'string' && intValue !== '' ? Number(intValue) : intValue);
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Whether an OTLP `AnyValue` holds `true`. */
export function isTrue(value: unknown): boolean {
  return isJsonObject(value) && value['boolValue'] === true;
}

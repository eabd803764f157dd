import { toUSVString, types } from 'node:util';

/** A value that OTLP can carry. */
export type Sendable = string | boolean | number | bigint | Uint8Array | Sendable[] | SendableMap;

/** Keys and values of an object. */
export class SendableMap {
  readonly entries: [key: string, value: Sendable][] = [];
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_DEPTH = 8;
/** Most nested values in one attribute; further ones are left out. */
const MAX_VALUES = 10_000;

/** Transforms each text inside a value. */
export type TextFilter = (text: string) => string | undefined;

/**
 * `value` in a form that OTLP can carry, so that no value blocks other spans: numbers that are not finite cannot be
 * written as JSON, whole numbers of 2^63 and more do not fit the format. Undefined when nothing of it can be sent.
 * Never throws, whatever a getter or a proxy does.
 */
export function sendableValue(value: unknown, filter: TextFilter): Sendable | undefined {
  try {
    return convert(value, filter, { left: MAX_VALUES, path: [] });
  } catch {
    // A getter, a proxy or toJSON of the program's own threw: the value is left out and counted by the caller.
    return undefined;
  }
}

interface Walk {
  left: number;
  path: object[];
}

function convert(value: unknown, filter: TextFilter, walk: Walk): Sendable | undefined {
  walk.left -= 1;
  if (walk.left < 0) return undefined;
  switch (typeof value) {
    case 'string':
      return filter(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return value >= MIN_INT64 && value <= MAX_INT64 ? value : filter(String(value).slice(0, 400));
    case 'object':
      return value === null ? undefined : convertObject(value, filter, walk);
    default:
      return undefined;
  }
}

function convertObject(value: object, filter: TextFilter, walk: Walk): Sendable | undefined {
  // Not `instanceof`: values may come from another realm.
  if (types.isUint8Array(value)) return value;
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (walk.path.includes(value)) return '[circular]';
  if (walk.path.length >= MAX_DEPTH) return '[too deep]';
  walk.path.push(value);
  const converted = Array.isArray(value) ? convertArray(value, filter, walk) : convertMap(value, filter, walk);
  walk.path.pop();
  return converted;
}

/**
 * An array with an element that cannot be sent is left out, because the rest would look complete. Empty slots stay out.
 */
function convertArray(values: readonly unknown[], filter: TextFilter, walk: Walk): Sendable | undefined {
  const converted: Sendable[] = [];
  for (const value of values.slice(0, MAX_VALUES)) {
    if (value === null || value === undefined) continue;
    const each = convert(value, filter, walk);
    if (each === undefined) return undefined;
    converted.push(each);
  }
  return converted;
}

function convertMap(value: object, filter: TextFilter, walk: Walk): Sendable {
  const map = new SendableMap();
  for (const key of Object.keys(value)) {
    let each: Sendable | undefined;
    try {
      each = convert((value as Record<string, unknown>)[key], filter, walk);
    } catch {
      // A throwing getter loses only its own entry.
      continue;
    }
    const written = filter(key);
    if (each !== undefined && written !== undefined) map.entries.push([written, each]);
  }
  return map;
}

/** Longest text that is sent, in UTF-16 code units. A prompt of 128 KB passes whole. */
export const MAX_TEXT_LENGTH = 262_144;

/** `text` without halves of surrogate pairs, which are not valid UTF-8, and not longer than `maxLength`; marked when cut. */
export function sendableText(text: string, maxLength = MAX_TEXT_LENGTH): string {
  if (text.length > maxLength) {
    return `${toUSVString(text.slice(0, maxLength))}… [cut: ${text.length} characters]`;
  }
  return toUSVString(text);
}

/** Seconds and nanoseconds since the epoch, as the format can carry them: whole, not negative, below 2^63 ns. */
export function sendableTime([seconds, nanoseconds]: readonly [number, number]): bigint {
  if (!Number.isFinite(seconds) || !Number.isFinite(nanoseconds)) return 0n;
  const time = BigInt(Math.trunc(seconds)) * 1_000_000_000n + BigInt(Math.trunc(nanoseconds));
  return time < 0n ? 0n : time > MAX_INT64 ? MAX_INT64 : time;
}

/** Decimal text of {@link sendableTime}, without a bigint where possible, because it is called twice per span. */
export function timeText(time: readonly [number, number]): string {
  const [seconds, nanoseconds] = time;
  if (seconds > 0 && seconds < 9e9 && nanoseconds >= 0 && nanoseconds < 1e9 && Number.isInteger(seconds)) {
    return `${seconds}${String(1e9 + Math.trunc(nanoseconds)).slice(1)}`;
  }
  return String(sendableTime(time));
}

/** The place of a text on a span; passed to the program's own redactor. */
export interface TextPlace {
  readonly part: 'name' | 'attribute' | 'status' | 'event' | 'link';
  /** Key of the attribute, if it is one. */
  readonly key?: string | undefined;
}

/** What happens to an attribute, by its key alone. */
export interface AttributeTreatment {
  /** `as-is`: convotel's own ids, names, outcomes. `cut`: content of a step, at its length. `omit`: stays in the process. */
  readonly action: 'as-is' | 'redact' | 'cut' | 'omit';
  /** The key as it may be written. */
  readonly key: string;
}

/** Decides which texts of a span may leave the process, and in which form. */
export interface SpanText {
  /** Whether equal texts always give equal results; false if the program's own redactor decides. */
  readonly isRepeatable: boolean;
  treatmentOf(key: string, part: TextPlace['part']): AttributeTreatment;
  /** The text as it may be written; undefined when nothing of it may. */
  redact(text: string, place: TextPlace): string | undefined;
  /** The same for captured content, which may also be cut. */
  content(text: string, place: TextPlace): string | undefined;
}

/** Limit of all texts of one span together, in UTF-16 code units, so that ending a step never takes long. */
const MAX_SPAN_TEXT_LENGTH = 524_288;
/** Limit of a text when the others of its span have used that up. */
const LAST_RESORT_LENGTH = 64;
/** A text is cut before redaction, but this much later, so that a secret at the cut is seen whole. */
const BEYOND_THE_CUT = 256;

/** Prepares the texts of one span for sending: cuts long ones, redacts, removes halves of surrogate pairs. */
export class OutgoingTexts {
  readonly #text: SpanText;
  #maxLength = MAX_TEXT_LENGTH;
  #left = MAX_SPAN_TEXT_LENGTH;

  constructor(text: SpanText) {
    this.#text = text;
  }

  /** Begins another span. */
  begin(maxLength = MAX_TEXT_LENGTH): void {
    this.#maxLength = maxLength;
    this.#left = MAX_SPAN_TEXT_LENGTH;
  }

  /** Undefined when nothing of the text may be sent. */
  write(text: string, action: AttributeTreatment['action'], place: TextPlace): string | undefined {
    const maxLength = Math.max(LAST_RESORT_LENGTH, Math.min(this.#maxLength, this.#left));
    this.#left -= Math.min(text.length, maxLength);
    if (action === 'as-is') return sendableText(text, maxLength);
    const seen = text.length > maxLength + BEYOND_THE_CUT ? text.slice(0, maxLength + BEYOND_THE_CUT) : text;
    const kept = action === 'cut' ? this.#text.content(seen, place) : this.#text.redact(seen, place);
    if (kept === undefined) return undefined;
    if (kept.length <= maxLength && seen.length === text.length) return toUSVString(kept);
    return `${toUSVString(kept.slice(0, maxLength))}… [cut: ${text.length} characters]`;
  }
}

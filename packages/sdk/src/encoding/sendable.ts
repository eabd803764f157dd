import { toUSVString, types } from 'node:util';

/** A value that OTLP can represent. */
export type Sendable = string | boolean | number | bigint | Uint8Array | Sendable[] | SendableMap;

export class SendableMap {
  readonly entries: [key: string, value: Sendable][] = [];
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_DEPTH = 8;
/** Maximum number of nested values in one attribute; further ones are left out. */
const MAX_VALUES = 10_000;

/** What names a text inside a value: the key of its entry in a map, or the text before it in an array. */
export interface NameInside {
  readonly text: string;
  readonly isKey: boolean;
}

/** Transforms each string inside a value; undefined removes it. */
export type TextFilter = (text: string, name?: NameInside) => string | undefined;

/**
 * Converts `value` to one that OTLP can represent, so that the back end does not refuse the whole request: JSON has no
 * infinite numbers, and int64 no integers of 2^63 or more. Undefined if nothing can be sent. Never throws, even if a
 * getter or proxy does.
 */
export function sendableValue(value: unknown, filter: TextFilter): Sendable | undefined {
  try {
    return convert(value, filter, { left: MAX_VALUES, path: [] });
  } catch {
    // A getter, proxy or toJSON of the program threw. The caller counts the value as dropped.
    return undefined;
  }
}

interface Walk {
  left: number;
  path: object[];
}

function convert(value: unknown, filter: TextFilter, walk: Walk, name?: NameInside): Sendable | undefined {
  walk.left -= 1;
  if (walk.left < 0) return undefined;
  switch (typeof value) {
    case 'string':
      return filter(value, name);
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
  // Not `instanceof`, because values may come from another realm.
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
 * An array is dropped if one of its elements cannot be sent, because the rest would look complete. Empty slots are
 * skipped.
 */
function convertArray(values: readonly unknown[], filter: TextFilter, walk: Walk): Sendable | undefined {
  const converted: Sendable[] = [];
  let name: NameInside | undefined;
  for (const value of values.slice(0, MAX_VALUES)) {
    if (value === null || value === undefined) continue;
    const each = convert(value, filter, walk, name);
    name = typeof value === 'string' ? { text: value, isKey: false } : undefined;
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
      each = convert((value as Record<string, unknown>)[key], filter, walk, { text: key, isKey: true });
    } catch {
      // A getter that throws affects only its own entry.
      continue;
    }
    const written = filter(key);
    if (each !== undefined && written !== undefined) map.entries.push([written, each]);
  }
  return map;
}

/** Maximum length of a text, in UTF-16 code units. Enough for a prompt of 128 KB. */
export const MAX_TEXT_LENGTH = 262_144;

/** Replaces lone surrogates, which UTF-8 cannot represent, and truncates to `maxLength`, with a mark at the end. */
export function sendableText(text: string, maxLength = MAX_TEXT_LENGTH): string {
  if (text.length > maxLength) {
    return `${toUSVString(text.slice(0, maxLength))}… [cut: ${text.length} characters]`;
  }
  return toUSVString(text);
}

/** Converts a time to Unix nanoseconds in the range of OTLP: an integer from 0 to below 2^63. */
export function sendableTime([seconds, nanoseconds]: readonly [number, number]): bigint {
  if (!Number.isFinite(seconds) || !Number.isFinite(nanoseconds)) return 0n;
  const time = BigInt(Math.trunc(seconds)) * 1_000_000_000n + BigInt(Math.trunc(nanoseconds));
  return time < 0n ? 0n : time > MAX_INT64 ? MAX_INT64 : time;
}

/** {@link sendableTime} as a decimal string, avoiding a bigint if possible, because it is called twice per span. */
export function timeText(time: readonly [number, number]): string {
  const [seconds, nanoseconds] = time;
  if (seconds > 0 && seconds < 9e9 && nanoseconds >= 0 && nanoseconds < 1e9 && Number.isInteger(seconds)) {
    return `${seconds}${String(1e9 + Math.trunc(nanoseconds)).slice(1)}`;
  }
  return String(sendableTime(time));
}

/** Where on a span a text is; passed to the option `redact`. */
export interface TextPlace {
  readonly part: 'name' | 'attribute' | 'status' | 'event' | 'link';
  /** Attribute key, if the text is an attribute value. */
  readonly key?: string | undefined;
}

/** How an attribute is treated, determined by its key alone. */
export interface AttributeTreatment {
  /** `as-is`: convotel's own names and outcomes. `cut`: a step's content, which may be truncated. `omit`: not exported. */
  readonly action: 'as-is' | 'redact' | 'cut' | 'omit';
  /** The redacted key. */
  readonly key: string;
}

/** Decides which texts of a span may be exported, and redacts them. */
export interface SpanText {
  /** Whether equal texts always give equal results, so that they can be cached; false with the option `redact`. */
  readonly isRepeatable: boolean;
  treatmentOf(key: string, part: TextPlace['part']): AttributeTreatment;
  /** The redacted text, or undefined if it must not be exported. */
  redact(text: string, place: TextPlace, name?: NameInside): string | undefined;
  /** Like {@link redact} for captured content, which may also be truncated. */
  content(text: string, place: TextPlace): string | undefined;
}

/** Maximum total length of the texts of one span, in UTF-16 code units, so that ending a step never takes long. */
const MAX_SPAN_TEXT_LENGTH = 524_288;
/** Maximum length of a text after that total is reached. */
const MIN_TEXT_LENGTH = 64;
/** Text is redacted this far past the truncation point, so that a secret across it is recognised. */
const REDACTION_OVERLAP = 256;

/** Prepares the texts of one span for export: truncates, redacts, replaces lone surrogates. */
export class OutgoingTexts {
  readonly #text: SpanText;
  #maxLength = MAX_TEXT_LENGTH;
  #left = MAX_SPAN_TEXT_LENGTH;

  constructor(text: SpanText) {
    this.#text = text;
  }

  /** Resets the total length for the next span. */
  begin(maxLength = MAX_TEXT_LENGTH): void {
    this.#maxLength = maxLength;
    this.#left = MAX_SPAN_TEXT_LENGTH;
  }

  /** Undefined if the text must not be exported. */
  write(text: string, action: AttributeTreatment['action'], place: TextPlace, name?: NameInside): string | undefined {
    const maxLength = Math.max(MIN_TEXT_LENGTH, Math.min(this.#maxLength, this.#left));
    this.#left -= Math.min(text.length, maxLength);
    if (action === 'as-is') return sendableText(text, maxLength);
    const seen = text.length > maxLength + REDACTION_OVERLAP ? text.slice(0, maxLength + REDACTION_OVERLAP) : text;
    const kept = action === 'cut' ? this.#text.content(seen, place) : this.#text.redact(seen, place, name);
    if (kept === undefined) return undefined;
    if (kept.length <= maxLength && seen.length === text.length) return toUSVString(kept);
    return `${toUSVString(kept.slice(0, maxLength))}… [cut: ${text.length} characters]`;
  }
}

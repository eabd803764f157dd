/**
 * Characters that control a terminal or hide the content of a text: control characters (C0, DEL, C1), line and
 * paragraph separators, bidirectional controls (Unicode Standard Annex 9), interlinear annotations, tag characters,
 * byte order marks, and lone surrogates.
 */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Escapes all strings in `value`, including keys, for a terminal: characters that could move the cursor, change
 * colours, break a line or change the text direction become escapes such as `\u001b` or `\n`.
 */
export function printable<Value>(value: Value): Value {
  // Answers may be large, and most have nothing to escape.
  return isPlainAscii(value) ? value : (printableValue(value) as Value);
}

/** Removes user names and passwords from the URLs in `text`, except from an example that says where to write them. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z\d+.-]*:\/\/)(?!name:password@[^\s"'`@]*(?:[\s"'`]|$))[^\s"'`]*@/gi, '$1');
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(printableValue);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [printableText(key), printableValue(field)]));
}

/** Whether all strings in `value`, including keys, contain only printable ASCII, so that nothing needs escaping. */
export function isPlainAscii(value: unknown): boolean {
  return hasOnlyPlain(value, new Set());
}

/** @param plainKeys - keys that were checked before: tens of thousands of rows have the same few */
function hasOnlyPlain(value: unknown, plainKeys: Set<string>): boolean {
  if (typeof value === 'string') return PRINTABLE_ASCII.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (!hasOnlyPlain(item, plainKeys)) return false;
    return true;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  // Unlike a list of the keys, this costs nothing for objects of the same shape.
  for (const key in fields) {
    if (!plainKeys.has(key)) {
      if (!PRINTABLE_ASCII.test(key)) return false;
      plainKeys.add(key);
    }
    if (!hasOnlyPlain(fields[key], plainKeys)) return false;
  }
  return true;
}

const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/;

function printableText(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => SHORT_ESCAPES[character] ?? unicodeEscape(character));
}

function unicodeEscape(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** Characters that control a terminal or the text direction, and that `JSON.stringify` does not escape. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Formats one JSON document with a trailing newline. Control characters (U+0000–001F, U+007F–009F) and bidirectional
 * controls are written as `\u` escapes, so that no text can control a terminal.
 */
export function formatJson(value: unknown, indent: number = 2): string {
  const text = JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

/**
 * Characters that control a terminal or hide the content of a text: control characters (C0, DEL, C1), line and
 * paragraph separators, bidirectional controls (Unicode Standard Annex 9), interlinear annotations, tag characters, a
 * byte order mark, and surrogates without their other half.
 */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The same value with every string in it, keys included, escaped for a terminal: characters that could move the cursor,
 * colour the screen, break a line or change the reading direction become escapes such as `\u001b` or `\n`.
 */
export function printable<Value>(value: Value): Value {
  // Answers may be large, and most have nothing to escape.
  return isPlainAscii(value) ? value : (printableValue(value) as Value);
}

/** The same text without the names and passwords of the addresses in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z\d+.-]*:\/\/)[^\s"'`]*@/gi, '$1');
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(printableValue);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [printableText(key), printableValue(field)]));
}

/** Whether every string in `value`, keys included, holds printable ASCII only: nothing in it needs an escape. */
export function isPlainAscii(value: unknown): boolean {
  if (typeof value === 'string') return isPrintableAscii(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlainAscii(item)) return false;
    return true;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) if (!isPrintableAscii(key) || !isPlainAscii(fields[key])) return false;
  return true;
}

/** Longer texts are left to the regular expression, which is faster for them. */
const SHORT_TEXT = 64;

function isPrintableAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return PRINTABLE_ASCII.test(text);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/;

function printableText(text: string): string {
  if (isPrintableAscii(text)) return text;
  return text.replace(UNPRINTABLE, (character) => SHORT_ESCAPES[character] ?? unicodeEscape(character));
}

function unicodeEscape(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** Characters that can control a terminal or reverse text, and that `JSON.stringify` does not escape. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * One JSON document with a line break at its end. Texts stand unchanged; control characters (U+0000–001F, U+007F–009F)
 * and bidirectional controls are written as `\u` escapes, so that no text can act on a terminal.
 */
export function formatJson(value: unknown, indent: number = 2): string {
  const text = JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

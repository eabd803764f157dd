/** Characters that can act on a terminal, turn text around or end a line in a script, and that `JSON.stringify` leaves as they are. */
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

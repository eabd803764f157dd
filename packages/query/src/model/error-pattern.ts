/** Replaces the variable parts of a message. */
export const PATTERN_PLACEHOLDER = '…';

/**
 * The variable parts of error messages, in the order in which they are replaced: URLs, e-mail addresses, UUIDs,
 * hexadecimal words of at least 8 characters with a digit, quoted parts, numbers with `.`, `,` or `:` inside.
 *
 * They are written so that JavaScript and RE2 (DuckDB, ClickHouse) match the same: ASCII classes only, no look-around.
 * Repetitions that could backtrack from every character are bounded, so that matching takes linear time.
 */
export const ERROR_PATTERN_RULES: readonly string[] = [
  String.raw`\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\x00-\x20"'<>\x60]*`,
  String.raw`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`,
  String.raw`\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b`,
  hexadecimalWord(8),
  String.raw`"[^"]*"|\B'[^']*'\B|\x60[^\x60]*\x60|“[^“”]*”`,
  String.raw`[0-9]+(?:[.,:][0-9]+)*`,
];

const EXPRESSIONS = ERROR_PATTERN_RULES.map((rule) => new RegExp(rule, 'g'));

/** `message` with its variable parts replaced, so that messages of one error become equal. */
export function errorPatternOf(message: string): string {
  return EXPRESSIONS.reduce((text, expression) => text.replace(expression, PATTERN_PLACEHOLDER), message);
}

/**
 * A word of at least `length` hexadecimal digits that has a decimal one: one alternative for each place of the first.
 */
function hexadecimalWord(length: number): string {
  const letters = '[A-Fa-f]';
  const digits = '[0-9A-Fa-f]';
  const byPlace = Array.from(
    { length: length - 1 },
    (_, place) => `${letters}{${place}}[0-9]${digits}{${length - 1 - place},}`,
  );
  return String.raw`\b(?:${byPlace.join('|')}|${letters}{${length - 1},}[0-9]${digits}*)\b`;
}

/** Printable ASCII, and the signs that our own pages use: each takes one cell of the terminal. */
const ONE_CELL_EACH = /^[\u0020-\u007e←•✓✗■█…]*$/;

/** Colours (ECMA-48, Select Graphic Rendition), which take no room. */
const COLORS = /\u001b\[\d*m/g;

let widthOfAnyText: ((text: string) => number) | undefined;

/** Loads what measures other texts than plain ASCII, if `value` holds any; a page must not be laid out before. */
export async function prepareWidths(value: unknown): Promise<void> {
  if (widthOfAnyText !== undefined || ONE_CELL_EACH.test(JSON.stringify(value))) return;
  widthOfAnyText = (await import('string-width')).default;
}

/** How many cells of a terminal `text` takes: two for wide characters, none for colours. */
export function displayWidth(text: string): number {
  const plain = text.replace(COLORS, '');
  if (ONE_CELL_EACH.test(plain)) return plain.length;
  if (widthOfAnyText === undefined) throw new TypeError('prepareWidths() was not called with this text');
  return widthOfAnyText(plain);
}

/** `text` with blanks up to `width` terminal cells; unchanged where it is as wide already. */
export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

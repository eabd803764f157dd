/** The screen that a page has to fit. */
export interface Screen {
  /** Cells in a line that a page may take, 40 to 120; undefined where the output is not a terminal. */
  columns: number | undefined;
}

/** Printable ASCII, and the signs that our own pages use: each takes one cell of the terminal. */
const ONE_CELL_EACH = /^[\u0020-\u007e←•·✓✗■░▒▁▂▃▄▅▆▇█▉▊▋▌▍▎▏…]*$/;

/** Colours (ECMA-48, Select Graphic Rendition), which take no room. */
const COLORS = /\u001b\[\d*m/g;

let widthOfAnyText: ((text: string) => number) | undefined;

/** Loads the width tables for non-ASCII text if `value` contains any. Call it before laying out a page. */
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

/**
 * `bullet` and `text`, broken between words into lines of at most `columns` cells and indented below the bullet; in one
 * line where there is no terminal to fit.
 */
export function wrapText(text: string, columns: number | undefined, bullet: string): string[] {
  if (columns === undefined) return [bullet + text];
  const indent = ' '.repeat(displayWidth(bullet));
  const lines: string[] = [];
  let line = bullet;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && displayWidth(line) + 1 + displayWidth(word) > columns) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

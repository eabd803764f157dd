import { isPlainAscii, printable } from './escape.ts';

export interface Column<Row> {
  heading: string;
  /** Minimum width in terminal cells; the column grows with its widest cell. */
  width: number;
  align: 'left' | 'right';
  /** Number of spaces between this column and the previous one. */
  gap?: number;
  cell: (row: Row, index: number) => string;
}

/** The heading and the rows of a table, without horizontal rules. */
export interface TableLines {
  heading: string;
  rows: string[];
}

/** Preferred width if the output is not a terminal. */
export const PRINTED_COLUMNS = 80;

/**
 * Lays out `rows` in columns by display width, so that columns stay aligned with wide characters, and a long cell
 * widens its whole column. If there is not enough room, columns shrink to their content, then the gaps shrink. If that
 * is still too wide for a terminal, each row becomes a block with one line per cell; no cell is ever truncated. If the
 * output is not a terminal, each row stays on one line.
 * @param after - text after a row, outside the columns, such as an arrow; below the row if there is no room
 */
export function layOutTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  context: Screen,
  after: (row: Row, index: number) => string = () => '',
): TableLines {
  const cells = rows.map((row, index) => columns.map((column) => column.cell(row, index)));
  const available = context.columns ?? Infinity;
  const { wide, snug, close } = layoutsOf(columns, cells);
  const fitting = [wide, snug, close].find((layout) => widthOf(layout) <= (context.columns ?? PRINTED_COLUMNS));
  const chosen = fitting ?? (context.columns === undefined ? wide : undefined);
  if (chosen === undefined) {
    return {
      heading: columns[0]?.heading ?? '',
      rows: cells.map((row, index) => blockOf(columns, row, after(rows[index] as Row, index))),
    };
  }
  return {
    heading: lineOf(
      chosen,
      chosen.map(({ heading }) => (chosen === wide ? heading : heading.trim())),
    ),
    rows: cells.map((row, index) => {
      const line = lineOf(chosen, row);
      const behind = after(rows[index] as Row, index);
      if (behind === '' || behind.startsWith('\n') || available === Infinity) return line + behind;
      // A line may be as long as the longest cell, and measuring it is slow, so it is measured only where that matters.
      const hasRoom = displayWidth(line) + displayWidth(behind) <= available;
      return hasRoom ? line + behind : `${line}\n${behind}`;
    }),
  };
}

/** The preferred and the minimum width of a table of these rows, in cells. */
export function tableWidths<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): { wide: number; close: number } {
  const { wide, close } = layoutsOf(
    columns,
    rows.map((row, index) => columns.map((column) => column.cell(row, index))),
  );
  return { wide: widthOf(wide), close: widthOf(close) };
}

/** Minimum width of a terminal for the columns that `--wide` adds. */
const WIDE_COLUMNS = 100;

/**
 * Whether a table shows the columns that `--wide` adds, which are among `columns`: if asked for, or on a terminal of 100
 * cells and more, if each row still fits on one line.
 */
export function isWideTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  wide: boolean,
  { columns: available = 0 }: Screen,
): boolean {
  return wide || (available >= WIDE_COLUMNS && tableWidths(columns, rows).close <= available);
}

/** The columns in three layouts: as defined, as narrow as their cells, and with minimal gaps. */
function layoutsOf<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
): { wide: Column<Row>[]; snug: Column<Row>[]; close: Column<Row>[] } {
  const widest = columns.map((_column, place) =>
    cells.reduce((width, row) => Math.max(width, displayWidth(row[place] ?? '')), 0),
  );
  const snug = columns.map((column, place) => ({
    ...column,
    width: Math.max(displayWidth(column.heading.trim()), widest[place] as number),
  }));
  return {
    wide: columns.map((column, place) => ({ ...column, width: Math.max(column.width, widest[place] as number) })),
    snug,
    close: snug.map((column, place) => ({ ...column, gap: place === 0 ? 0 : 1 })),
  };
}

type Layout = readonly Pick<Column<never>, 'width' | 'gap' | 'align'>[];

function widthOf(layout: Layout): number {
  return layout.reduce((sum, { width, gap = 0 }) => sum + width + gap, 0);
}

function lineOf(layout: Layout, texts: readonly string[]): string {
  let line = '';
  for (let place = 0; place < layout.length; place++) {
    const { gap = 0, width, align } = layout[place]!;
    line += ' '.repeat(gap) + pad(texts[place] ?? '', width, align);
  }
  return line.trimEnd();
}

/** The first cell, and below it each other cell with its heading. */
function blockOf(columns: readonly { heading: string }[], cells: readonly string[], behind: string): string {
  const [first = '', ...others] = cells.map((cell) => cell.trim());
  const lines = others.map((cell, index) => {
    const heading = columns[index + 1]?.heading.trim() ?? '';
    // A drawing has no heading.
    return heading === '' ? `  ${cell}` : `  ${heading}: ${cell}`;
  });
  return (
    [behind.startsWith('\n') ? first : first + behind, ...lines].join('\n') + (behind.startsWith('\n') ? behind : '')
  );
}

/** The screen that a page has to fit. */
export interface Screen {
  /** Width of a page in cells, 40 to 120; undefined if the output is not a terminal. */
  columns: number | undefined;
}

/** Printable ASCII and the symbols that we print ourselves: each is one cell wide. */
const ONE_CELL_EACH = /^[\u0020-\u007e←•·✓✗■░▒▁▂▃▄▅▆▇█▉▊▋▌▍▎▏…]*$/;

/** Colour sequences (ECMA-48, Select Graphic Rendition), which have no width. */
const COLORS = /\u001b\[\d*m/g;

let widthOfAnyText: ((text: string) => number) | undefined;

/** Loads the width tables for non-ASCII text if `value` contains any. Call this before layout. */
export async function prepareWidths(value: unknown): Promise<void> {
  if (widthOfAnyText !== undefined || isPlainAscii(value) || ONE_CELL_EACH.test(JSON.stringify(value))) return;
  widthOfAnyText = (await import('string-width')).default;
}

/** Makes the texts of `report` {@link printable}, and loads what layout needs to know their widths. */
export async function prepareReport<Report>(report: Report): Promise<Report> {
  // A single pass, because there may be tens of thousands of rows.
  if (isPlainAscii(report)) return report;
  const shown = printable(report);
  await prepareWidths(shown);
  return shown;
}

/** Width of `text` in terminal cells: two for wide characters, none for colours. */
export function displayWidth(text: string): number {
  if (ONE_CELL_EACH.test(text)) return text.length;
  const plain = text.replace(COLORS, '');
  if (ONE_CELL_EACH.test(plain)) return plain.length;
  if (widthOfAnyText === undefined) throw new TypeError('prepareWidths() was not called with this text');
  return widthOfAnyText(plain);
}

/** Pads `text` with spaces to `width` terminal cells. */
export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const missing = width - displayWidth(text);
  if (missing <= 0) return text;
  const blanks = ' '.repeat(missing);
  return align === 'left' ? text + blanks : blanks + text;
}

/**
 * `bullet` and `text`, wrapped between words into lines of at most `columns` cells, with a hanging indent; one line if
 * `columns` is undefined.
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

import { displayWidth, pad } from './width.ts';

/** One column of a table. */
export interface Column<Row> {
  heading: string;
  /** Minimum width in terminal cells; the column grows with its widest cell. */
  width: number;
  align: 'left' | 'right';
  /** Blanks between this column and the one before it. */
  gap?: number;
  cell: (row: Row, index: number) => string;
}

/** What stands above and in a table, without rules. */
export interface TableLines {
  heading: string;
  rows: string[];
}

/**
 * Lays `rows` out in columns by display width, so that wide characters keep the columns straight and a long cell
 * widens its whole column.
 * @param after - what stands behind a row, outside the columns, such as an arrow
 */
export function layOutTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  after: (row: Row, index: number) => string = () => '',
): TableLines {
  const cells = rows.map((row, index) =>
    columns.map((column, place) => (place === 0 ? neverFormula(column.cell(row, index)) : column.cell(row, index))),
  );
  const widths = columns.map((column, place) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[place] ?? '')), column.width),
  );
  const line = (texts: readonly string[]): string =>
    columns
      .map((column, place) => ' '.repeat(column.gap ?? 0) + pad(texts[place] ?? '', widths[place] ?? 0, column.align))
      .join('')
      .trimEnd();
  return {
    heading: line(columns.map((column) => column.heading)),
    rows: cells.map((row, index) => line(row) + after(rows[index] as Row, index)),
  };
}

/**
 * `text` with an apostrophe before a sign with which a spreadsheet begins a formula. A line of a table that somebody
 * pastes into one begins with its first cell, and that may be a name which a span brought along.
 */
function neverFormula(text: string): string {
  return /^[=+@-]/.test(text) ? `'${text}` : text;
}

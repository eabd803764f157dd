import type { TextContext } from './page.ts';

/** Eighths of a cell, from one to seven. */
const EIGHTHS_RIGHT = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const EIGHTHS_UP = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Cells that a page may take where the output is not a terminal, but a drawing is asked for. */
const PRINTED_COLUMNS = 80;
const MAX_BAR_CELLS = 40;
/** A bar with less room says less than the number before it. */
const MIN_BAR_CELLS = 5;

/** A bar from the left, `max` as long as `cells`, exact to an eighth of a cell; a value above 0 is always seen. */
export function barText(value: number, max: number, cells: number): string {
  if (!(value > 0 && max > 0)) return '';
  const eighths = Math.max(1, Math.round((Math.min(value, max) / max) * cells * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS_RIGHT[(eighths % 8) - 1] ?? '');
}

/** Cells that bars may take beside a table of `tableCells`; undefined where there is no room, or nothing is drawn. */
export function barCells(tableCells: number, { graph, columns = PRINTED_COLUMNS }: TextContext): number | undefined {
  const room = Math.min(columns - tableCells - 2, MAX_BAR_CELLS);
  return graph && room >= MIN_BAR_CELLS ? room : undefined;
}

/** A column a value, from the lowest to the highest of them; a blank where there is none. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      // Values that are all the same stand in the middle.
      return EIGHTHS_UP[span === 0 ? 3 : Math.round(((value - low) / span) * (EIGHTHS_UP.length - 1))];
    })
    .join('');
}

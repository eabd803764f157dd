import type { TextContext } from './page.ts';
import { PRINTED_COLUMNS } from './table.ts';

/** Eighths of a cell, from one to seven. */
const EIGHTHS_RIGHT = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const EIGHTHS_UP = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const MAX_BAR_CELLS = 40;
/** A shorter bar would say less than the number beside it. */
const MIN_BAR_CELLS = 5;

/** A horizontal bar, accurate to an eighth of a cell. `max` fills all `cells`; any value above 0 is visible. */
export function barText(value: number, max: number, cells: number): string {
  if (!(value > 0 && max > 0)) return '';
  const eighths = Math.max(1, Math.round((Math.min(value, max) / max) * cells * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS_RIGHT[(eighths % 8) - 1] ?? '');
}

/** Cells available for bars beside a table of `tableCells`; undefined if there is no room, or drawing is off. */
export function barCells(tableCells: number, { graph, columns = PRINTED_COLUMNS }: TextContext): number | undefined {
  const room = Math.min(columns - tableCells - 2, MAX_BAR_CELLS);
  return graph && room >= MIN_BAR_CELLS ? room : undefined;
}

/** One character per value, scaled from the lowest to the highest; a blank for a missing value. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      // If all values are equal, they are drawn at half height.
      return EIGHTHS_UP[span === 0 ? 3 : Math.round(((value - low) / span) * (EIGHTHS_UP.length - 1))];
    })
    .join('');
}

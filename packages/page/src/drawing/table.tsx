import type { ComponentChildren } from 'preact';
import { countText, durationWords } from '../words.ts';

/** A column of a table. The first one is the row header. */
export interface Column<Row> {
  name: string;
  /** Whether its cells are right-aligned. */
  isNumber?: boolean | undefined;
  cell: (row: Row) => ComponentChildren;
  /** CSS classes of the cell. */
  look?: ((row: Row) => string) | undefined;
  /** Tooltip of the cell. */
  title?: ((row: Row) => string) | undefined;
}

/** A table of numbers. If wider than the screen, it scrolls in its own box, also by keyboard. */
export function Table<Row>(props: {
  /** Description for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** CSS classes of a row. */
  look?: ((row: Row) => string) | undefined;
}) {
  const { label, columns, rows, keyOf, look } = props;
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, isNumber }) => (
              <th key={name} scope="col" class={isNumber === true ? 'number' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={look?.(row) ?? ''}>
              {columns.map(({ name, cell, isNumber, look: cellLook, title }, index) =>
                index === 0 ? (
                  <th key={name} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td
                    key={name}
                    class={`${isNumber === true ? 'number' : ''} ${cellLook?.(row) ?? ''}`}
                    title={title?.(row)}
                  >
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A bar beside its value, on a scale from 0 to `scale`. */
export function CellBar(props: {
  value: number | undefined;
  scale: number;
  words: string;
  look: string;
  /** A part of `value` that is drawn pale. */
  paleFrom?: number | undefined;
}) {
  const { value = 0, scale, words, look, paleFrom } = props;
  const width = (part: number): string => `${scale === 0 ? 0 : (part / scale) * 100}%`;
  return (
    <span class="cell-bar">
      <span class="bar-track">
        <i class={look} style={{ width: width(value) }}>
          {paleFrom === undefined || value === 0 ? null : (
            <b class="pale" style={{ insetInlineStart: `${(paleFrom / value) * 100}%` }} />
          )}
        </i>
      </span>
      {words}
    </span>
  );
}

/** The text of a cell for a duration or a count that may be unknown. */
export function durationCell(ms: number | undefined): string {
  return ms === undefined ? '–' : durationWords(ms);
}

export function countCell(count: number | undefined): string {
  return count === undefined ? '–' : countText(count);
}

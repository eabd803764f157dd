import type { SqlRow } from '../../engines/sql/sql-store.ts';

/** An answer in the format `JSONCompactEachRowWithNamesAndTypes`: names, types, then the rows. */
export type CompactAnswer = readonly (readonly unknown[])[];

/** The rows of an answer by column name, 64-bit numbers as bigints. */
export function readRows(answer: CompactAnswer): SqlRow[] {
  const [names = [], types = []] = answer as readonly string[][];
  const readers = types.map(readerOf);
  return answer.slice(2).map((cells) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index++) row[names[index]!] = readers[index]!(cells[index]);
    return row;
  });
}

/** The same as arrays by column name. */
export function readColumns(answer: CompactAnswer): Record<string, readonly unknown[]> {
  const [names = [], types = []] = answer as readonly string[][];
  const rows = answer.slice(2);
  return Object.fromEntries(
    names.map((name, index) => {
      const read = readerOf(types[index]!);
      return [name, rows.map((cells) => read(cells[index]))];
    }),
  );
}

/** 64-bit numbers arrive as text, because as a JSON number they would lose digits. */
function readerOf(type: string): (cell: unknown) => unknown {
  const plain = type.replace(/^(?:Nullable|LowCardinality)\((.*)\)$/, '$1');
  if (plain !== type) return readerOf(plain);
  if (/^U?Int64$/.test(type)) return (cell) => (cell === null ? null : BigInt(cell as string));
  return (cell) => cell;
}

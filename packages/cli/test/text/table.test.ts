import { beforeAll, expect, test } from '@jest/globals';
import { layOutTable, pad, prepareWidths } from '../../src/text/table.ts';

/** Not a terminal. */
const PRINTED = { columns: undefined };

beforeAll(() => prepareWidths('世界'));

const COLUMNS = [
  { heading: 'Name', width: 6, align: 'left', cell: (row: [string, number]) => row[0] },
  { heading: 'Count', width: 5, align: 'right', gap: 1, cell: (row: [string, number]) => String(row[1]) },
] as const;

test('a cell longer than its column widens the whole column', () => {
  expect(
    layOutTable(
      COLUMNS,
      [
        ['a', 1],
        ['abcdefghij', 1234567],
      ],
      PRINTED,
    ),
  ).toEqual({
    heading: 'Name         Count',
    rows: ['a                1', 'abcdefghij 1234567'],
  });
});

test('wide characters take two cells, combined ones one', () => {
  expect(
    layOutTable(
      COLUMNS,
      [
        ['世界', 1],
        ['e\u0301', 2],
        ['🦜', 3],
      ],
      PRINTED,
    ).rows,
  ).toEqual(['世界       1', 'e\u0301          2', '🦜         3']);
});

test('no blanks at line ends, and what stands behind a row follows directly', () => {
  const columns = [{ heading: 'Name', width: 20, align: 'left', cell: (row: string) => row }] as const;
  expect(layOutTable(columns, ['a', 'b'], PRINTED, (row) => (row === 'b' ? '  <' : ''))).toEqual({
    heading: 'Name',
    rows: ['a', 'b  <'],
  });
});

test('in a block, each cell has its heading, and a drawing, which has none, stands alone', () => {
  const columns = [
    ...COLUMNS,
    { heading: '', width: 20, align: 'left', gap: 2, cell: () => `|${'█'.repeat(38)}|` },
  ] as const;
  expect(layOutTable(columns, [['a', 1]], { columns: 40 }).rows).toEqual([`a\n  Count: 1\n  |${'█'.repeat(38)}|`]);
});

test('colours take no room', () => {
  expect(pad('\u001b[32mab\u001b[39m', 4, 'right')).toBe('  \u001b[32mab\u001b[39m');
  expect(pad('abcdef', 4, 'left')).toBe('abcdef');
});

test('rows beside a very long cell are not measured where lines may be of any length', () => {
  const rows = [['a'.repeat(200_000), 1], ...Array.from({ length: 2_000 }, () => ['世', 2] as [string, number])] as [
    string,
    number,
  ][];
  // Measuring all of these lines would take many times the time limit.
  const lines = layOutTable(COLUMNS, rows, PRINTED).rows;
  expect(lines).toHaveLength(2_001);
  expect(lines[2_000]).toMatch(/^世 {200003}2$/);
});

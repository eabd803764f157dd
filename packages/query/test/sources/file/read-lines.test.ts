import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readLines, readLinesAt } from '../../../src/sources/file/read-file.ts';
import type { Line } from '../../../src/sources/file/read-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-read-lines-'));
  path = join(folder, 'lines');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function linesOf(content: string, maxLineBytes = 1_000): Promise<Line[]> {
  await writeFile(path, content);
  const lines: Line[] = [];
  for await (const line of readLines(path, maxLineBytes)) lines.push(line);
  return lines;
}

describe('the lines of a file', () => {
  test('come with their number and place, with or without a newline at the end', async () => {
    const expected = [
      { lineNumber: 1, place: { offset: 0, byteLength: 3 }, text: 'ä1' },
      { lineNumber: 2, place: { offset: 4, byteLength: 0 }, text: '' },
      { lineNumber: 3, place: { offset: 5, byteLength: 1 }, text: 'b' },
    ];
    expect(await linesOf('ä1\n\nb')).toEqual(expected);
    expect(await linesOf('ä1\n\nb\n')).toEqual(expected);
    expect(await linesOf('')).toEqual([]);
  });

  test('are passed over when they are too long, and the next one is read', async () => {
    const lines = await linesOf(`${'x'.repeat(11)}\n${'y'.repeat(10)}\n${'z'.repeat(11)}`, 10);
    expect(lines.map(({ text, unreadable }) => text ?? unreadable)).toEqual([
      'it is longer than 10 bytes',
      'yyyyyyyyyy',
      'it is longer than 10 bytes',
    ]);
  });

  test('may be longer than what is read at once', async () => {
    const long = '👋'.repeat(700_000);
    const lines = await linesOf(`a\n${long}\nb\n`, 10_000_000);
    expect(lines.map(({ text }) => text)).toEqual(['a', long, 'b']);
    expect(await readLinesAt(path, [lines[2]!.place, lines[1]!.place])).toEqual(['b', long]);
  });
});

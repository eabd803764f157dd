import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { betweenFolders, circlesIn, readImportGraph } from './import-graph.ts';

const PACKAGES = join(dirname(fileURLToPath(import.meta.url)), '../../packages');

describe.each(readdirSync(PACKAGES))('the imports of %s, types included', (name) => {
  const graph = readImportGraph(join(PACKAGES, name, 'src'));

  test('make no circle of files', () => {
    expect(circlesIn(graph)).toEqual([]);
  });

  test('make no circle of folders, so that no pair of folders imports each other', () => {
    expect(circlesIn(betweenFolders(graph))).toEqual([]);
  });
});

describe('the import graph', () => {
  let folder: string;
  afterEach(() => rmSync(folder, { recursive: true }));

  const graphOf = (files: Record<string, string>): ReturnType<typeof readImportGraph> => {
    folder = mkdtempSync(join(tmpdir(), 'convotel-import-graph-'));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    return readImportGraph(folder);
  };

  test('finds a circle of types over three files', () => {
    const graph = graphOf({
      'a/one.ts': "import type { B } from '../b/two.ts';",
      'b/two.ts': "export type { C } from '../c/three.ts';",
      'c/three.ts': "const load = () => import('../a/one.ts');",
      'c/four.ts': "import { one } from '../a/one.ts';",
    });
    expect(circlesIn(graph)).toEqual([['a/one.ts', 'b/two.ts', 'c/three.ts']]);
  });

  test('finds two folders that import each other through different files', () => {
    const graph = graphOf({
      'a/one.ts': "import { two } from '../b/two.ts';",
      'b/two.ts': '',
      'b/three.ts': "import { four } from '../a/four.ts';",
      'a/four.ts': '',
      'entry.ts': "import { one } from './a/one.ts';",
    });
    expect(circlesIn(graph)).toEqual([]);
    expect(circlesIn(betweenFolders(graph))).toEqual([['a', 'b']]);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { specifiersIn } from './import-graph.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Which part may import which: the arrows of docs/ARCHITECTURE.md. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  conventions: [],
  tracing: ['conventions'],
  sdk: ['conventions'],
  query: ['conventions'],
  local: ['conventions', 'query'],
  page: ['conventions', 'query'],
  cli: ['conventions', 'tracing', 'sdk', 'query', 'local'],
};
const PACKAGE_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(ARROWS).map((part) => [part === 'cli' ? 'convotel' : `@convotel/${part}`, part]),
);

/** What a package offers beside its index, and whose it is. */
const SUBPATHS: Readonly<Record<string, string>> = {
  '@convotel/query/engine': 'query',
  '@convotel/query/answers': 'query',
  '@convotel/sdk/internal': 'sdk',
};

interface Import {
  file: string;
  specifier: string;
}

function importsOf(part: string): Import[] {
  const folder = join(ROOT, 'packages', part, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) => {
      const specifiers = specifiersIn(readFileSync(join(folder, file), 'utf8'));
      return specifiers.map((specifier) => ({ file: join(folder, file), specifier }));
    });
}

function dependenciesOf(part: string): string[] {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', part, 'package.json'), 'utf8')) as {
    private?: boolean;
    bin?: Record<string, string>;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    peerDependencies?: Record<string, string>;
  };
  // A program, and the page, are bundled with what they import; at run time they need only what cannot be bundled.
  const isLibrary = manifest.bin === undefined && manifest.private !== true;
  return Object.keys(
    isLibrary ? { ...manifest.dependencies, ...manifest.peerDependencies } : { ...manifest.devDependencies },
  );
}

function violationsOf(part: string): string[] {
  const declared = dependenciesOf(part);
  return importsOf(part).flatMap(({ file, specifier }) => {
    const where = `${relative(ROOT, file)} imports ${specifier}`;
    if (specifier.startsWith('.')) {
      const target = relative(join(ROOT, 'packages', part, 'src'), resolve(dirname(file), specifier));
      return target.startsWith('..') ? [`${where}, which is outside its package`] : [];
    }
    if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
      return specifier.startsWith('node:') ? [] : [`${where} without node:`];
    }
    const neighbour = PACKAGE_NAMES[specifier] ?? SUBPATHS[specifier];
    if (neighbour !== undefined) {
      return ARROWS[part]?.includes(neighbour) ? [] : [`${where}, against the arrows`];
    }
    if (specifier.startsWith('@convotel/') || specifier.startsWith('convotel/')) {
      return [`${where}, past the entries of that package`];
    }
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    return declared.includes(name) ? [] : [`${where}, which its package.json does not name`];
  });
}

describe('the arrows between packages', () => {
  test.each(Object.keys(ARROWS))('%s imports only what it may, and only through an entry', (part) => {
    expect(violationsOf(part)).toEqual([]);
  });

  test('every package stands in the table', () => {
    expect(readdirSync(join(ROOT, 'packages')).toSorted()).toEqual(Object.keys(ARROWS).toSorted());
  });

  test.each(Object.keys(ARROWS))('%s needs the packages that it names, no more', (part) => {
    const needed = new Set(importsOf(part).map(({ specifier }) => specifier));
    const unused = dependenciesOf(part).filter(
      (name) => ![...needed].some((specifier) => specifier === name || specifier.startsWith(`${name}/`)),
    );
    expect(unused).toEqual([]);
  });

  // The page is a program without exports.
  test.each(Object.keys(ARROWS).filter((part) => part !== 'page'))('the index of %s names every export', (part) => {
    const index = readFileSync(join(ROOT, 'packages', part, 'src/index.ts'), 'utf8');
    expect(index).not.toMatch(/export \*/);
    expect(index).toMatch(/export \{/);
  });
});

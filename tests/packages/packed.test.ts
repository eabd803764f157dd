import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installPacks, run, ROOT } from './install.ts';
import type { Installation, Manifest } from './install.ts';
import { describeLoading } from './loading.ts';
import { describeTools } from './tools.ts';
import { describeTypes } from './types.ts';

const NAMES = ['@convotel/conventions', '@convotel/local', '@convotel/query', '@convotel/sdk', '@convotel/tracing'];

let installed: Installation;

beforeAll(async () => {
  installed = await installPacks();
}, 240_000);

afterAll(() => installed.remove());

function manifestOf(name: string): Manifest {
  const path = join(installed.folder, 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

describe('a pack', () => {
  test('is made of every package', () => {
    expect(installed.packs.map(({ name }) => name).toSorted()).toEqual([...NAMES, 'convotel']);
  });

  test.each([...NAMES, 'convotel'])('of %s holds what its manifest names, and what users need', (name) => {
    const { files } = installed.packs.find((pack) => pack.name === name)!;
    const { exports, main, types, typesVersions, bin } = manifestOf(name);
    const named = [main, types, ...textsIn(exports), ...textsIn(typesVersions), ...textsIn(bin)].map((path) =>
      path.replace(/^\.\//, ''),
    );
    const needed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...named];
    expect(needed.filter((path) => !files.includes(path))).toEqual([]);
  });

  test('holds nothing else', () => {
    const expected = [
      /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
      /^dist\/(esm|cjs)\/.*\.(js|js\.map|d\.ts)$/,
      /^dist\/cjs\/package\.json$/,
      /^src\/.*\.(ts|sql)$/,
      /^sql\/.*\.sql$/,
      // Of the command alone.
      /^bin\/(convotel\.js|package\.json)$/,
      /^schema\/.*\.json$/,
      /^dist\/(THIRD-PARTY-LICENSES\.txt|bundled\/.*\.sql)$/,
      /^dist\/page\/(index\.html|THIRD-PARTY-LICENSES\.txt|assets\/[\w-]+\.(js|css|svg))$/,
    ];
    const surplus = installed.packs.flatMap(({ name, files }) =>
      files.filter((path) => !expected.some((pattern) => pattern.test(path))).map((path) => `${name}: ${path}`),
    );
    expect(surplus).toEqual([]);
  });

  test('of the command names the licenses of what is bundled in it', () => {
    const notices = readFileSync(join(installed.folder, 'node_modules/convotel/dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'string-width', '@opentelemetry/sdk-trace-base', '@bufbuild/protobuf']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'));
    }
  });
});

describe('the packed command', () => {
  const convotel = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(join(installed.folder, 'node_modules/.bin/convotel'), words, { cwd: installed.folder });

  test('says its version', async () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'packages/cli/package.json'), 'utf8')) as { version: string };
    expect((await convotel('--version')).stdout).toBe(`${manifest.version}\n`);
  });

  test('shows the example session from real spans', async () => {
    const { stdout } = await convotel('demo', '--speed', '200');
    expect(stdout).toContain('STEP 10');
    expect(stdout).toContain('API rate limit exceeded');
  }, 60_000);

  test('says what to install where ClickHouse is asked for and its client is missing', async () => {
    await expect(convotel('averages', '--from', 'clickhouse://127.0.0.1:1/otel')).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringContaining('npm install @clickhouse/client'),
    });
  });

  test('needs no package of the project but itself', () => {
    const { dependencies } = JSON.parse(
      readFileSync(join(installed.folder, 'node_modules/convotel/package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies).filter((name) => name.startsWith('@convotel/'))).toEqual([]);
  });
});

describeLoading(() => installed);
describeTypes(() => installed);
describeTools(() => installed);

/** Every text at any depth. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('./src/') || value.includes('/') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Packed {
  name: string;
  filename: string;
  files: { path: string }[];
}

let folder: string;
let packed: Packed[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-packed-'));
  const { stdout } = await run('npm', ['pack', '--workspaces', '--json', '--pack-destination', folder], { cwd: ROOT });
  const listed = JSON.parse(stdout) as Packed[] | Record<string, Packed>;
  packed = Object.values(listed).filter(({ name }) => name.includes('convotel') && !/example|suite/.test(name));
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('all six packages are packed', () => {
  expect(packed.map(({ name }) => name).toSorted()).toEqual([
    '@convotel/conventions',
    '@convotel/local',
    '@convotel/query',
    '@convotel/sdk',
    '@convotel/tracing',
    'convotel',
  ]);
});

test('a package holds what a user needs and nothing else', () => {
  for (const { name, files } of packed) {
    const paths = files.map(({ path }) => path);
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'];
    expect({ name, missing: expected.filter((path) => !paths.includes(path)) }).toEqual({ name, missing: [] });
    const surplus = paths.filter(
      (path) =>
        !expected.includes(path) &&
        !/^(dist\/.*\.(js|d\.ts)|sql\/.*\.sql|schema\/.*\.json|bin\/convotel\.js)$/.test(path),
    );
    expect({ name, surplus }).toEqual({ name, surplus: [] });
  }
});

describe('the packed command in an empty folder', () => {
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'convotel-installed-'));
    await writeFile(join(home, 'package.json'), '{ "private": true }');
    const archives = packed.map(({ filename }) => join(folder, filename.replace(/^.*\//, '')));
    await run('npm', ['install', '--prefer-offline', '--no-fund', '--no-audit', ...archives], { cwd: home });
  }, 240_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  const convotel = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(join(home, 'node_modules/.bin/convotel'), words, { cwd: home });

  test('says its version', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'packages/cli/package.json'), 'utf8')) as { version: string };
    expect((await convotel('--version')).stdout).toBe(`${manifest.version}\n`);
  });

  test('shows the example session from real spans', async () => {
    const { stdout } = await convotel('demo', '--speed', '200');
    expect(stdout).toContain('STEP 10');
    expect(stdout).toContain('API rate limit exceeded');
  }, 60_000);
});

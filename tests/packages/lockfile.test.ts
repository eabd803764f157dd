import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

interface Lockfile {
  packages: Record<string, { os?: string[] }>;
}

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const SCRIPT = join(ROOT, 'scripts/lockfile.mjs');

/** A repository of its own, in which the project's lockfile is committed. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convotel-lockfile-'));
  writeLockfile(projectLockfile());
  const git = (...words: string[]): Buffer => execFileSync('git', words, { cwd: folder });
  git('init', '--quiet');
  git('add', '.');
  git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'lockfile');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the lockfile of the project has the packages of every platform', () => {
  expect(spawnSync(process.execPath, [SCRIPT], { cwd: ROOT, encoding: 'utf8' })).toMatchObject({
    stderr: '',
    status: 0,
  });
});

test('what npm dropped is named, and put back as it was committed', () => {
  const whole = projectLockfile();
  const ofOtherPlatforms = Object.keys(whole.packages).filter((path) => whole.packages[path]?.os?.includes('darwin'));
  expect(ofOtherPlatforms.length).toBeGreaterThan(5);
  const kept = Object.entries(whole.packages).filter(([path]) => !ofOtherPlatforms.includes(path));
  writeLockfile({ ...whole, packages: Object.fromEntries(kept) });

  const checked = run();
  expect(checked.status).toBe(1);
  expect(checked.stderr).toContain('@duckdb/node-bindings-darwin-arm64@');
  expect(checked.stderr).toContain('npm run lockfile:restore');

  expect(run('--restore').status).toBe(0);
  expect(JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))).toEqual(whole);
  expect(run().status).toBe(0);
});

function run(...words: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [SCRIPT, ...words], { cwd: folder, encoding: 'utf8' });
}

function projectLockfile(): Lockfile {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile;
}

function writeLockfile(lockfile: Lockfile): void {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockfile));
}

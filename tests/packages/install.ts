import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** The project's folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** One archive, as `scripts/release/pack.mjs` describes it. */
export interface Pack {
  name: string;
  version: string;
  path: string;
  size: number;
  unpackedSize: number;
  files: string[];
}

/** All packs, installed by npm in a folder that holds nothing else. */
export interface Installation {
  folder: string;
  packs: Pack[];
  /** Writes a file of a user's, and gives its path. */
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

/** Packs what was built and installs it, as a user of the packages would. */
export async function installPacks(): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-installed-'));
  const pack = join(ROOT, 'scripts/release/pack.mjs');
  const { stdout } = await run(process.execPath, [pack, folder], { maxBuffer: 1 << 26 });
  const packs = JSON.parse(stdout) as Pack[];
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const archives = packs.map(({ path }) => path);
  await run('npm', ['install', '--prefer-offline', '--no-fund', '--no-audit', ...archives], { cwd: folder });
  return {
    folder,
    packs,
    async write(name, text) {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What a test reads of a pack's manifest. */
export interface Manifest {
  name: string;
  main: string;
  types: string;
  bin?: Record<string, string>;
  exports: Record<string, string | { [condition: string]: string | Record<string, string> }>;
  typesVersions?: Record<string, Record<string, string[]>>;
}

/** The names under which a pack's programs can be imported: `@convotel/query`, `@convotel/query/engine`, … */
export function specifiersOf({ name, exports }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([subpath]) => `${name}${subpath.slice(1)}`);
}

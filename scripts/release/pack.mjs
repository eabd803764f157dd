import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPackages, ROOT } from '../build/packages.mjs';

/**
 * @typedef {object} Pack
 * @property {string} name
 * @property {string} version
 * @property {string} path - of the archive
 * @property {number} size - of the archive, in bytes
 * @property {number} unpackedSize - in bytes
 * @property {string[]} files
 */

/**
 * Packs the packages that are published, as built, into `folder`.
 * @param {string} folder
 * @param {(name: string) => boolean} [isWanted] - all, when absent
 * @returns {Pack[]}
 */
export function packAll(folder, isWanted = () => true) {
  const names = readPackages().map(({ manifest }) => manifest.name);
  const workspaces = names.filter(isWanted).flatMap((name) => ['--workspace', name]);
  const words = ['pack', ...workspaces, '--json', '--pack-destination', folder];
  const output = execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  // A list, or an object by name, depending on npm's version.
  return Object.values(JSON.parse(output)).map(({ name, version, filename, size, unpackedSize, files }) => ({
    name,
    version,
    path: join(folder, basename(filename)),
    size,
    unpackedSize,
    files: files.map((/** @type {{ path: string }} */ { path }) => path),
  }));
}

// node scripts/release/pack.mjs <folder>: packs into the folder, and prints what as JSON.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('give the folder that the packs go to');
  console.log(JSON.stringify(packAll(folder)));
}

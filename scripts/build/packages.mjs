import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {Record<string, string | Record<string, unknown>>} exports
 * @property {Record<string, string>} [bin]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 * @property {Record<string, string>} [devDependencies]
 *
 * @typedef {object} Package
 * @property {string} folder - its absolute path
 * @property {string} manifestPath
 * @property {Manifest} manifest
 * @property {Record<string, string>} entries - source file by entry, such as `{ index: './src/index.ts' }`
 */

/** The project's folder. */
export const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
/** The condition under which a manifest's `exports` names the source of an entry. */
export const SOURCE = '@convotel/source';

/**
 * The packages that are published, in the order of their folders.
 * @returns {Package[]}
 */
export function readPackages() {
  return readdirSync(join(ROOT, 'packages')).flatMap((name) => {
    const folder = join(ROOT, 'packages', name);
    const manifestPath = join(folder, 'package.json');
    const manifest = /** @type {Manifest} */ (JSON.parse(readFileSync(manifestPath, 'utf8')));
    return manifest.private === true ? [] : [{ folder, manifestPath, manifest, entries: entriesOf(manifest) }];
  });
}

/**
 * `./engine` with `{ "@convotel/source": "./src/engine.ts" }` in `exports` is the entry `engine`.
 * @param {Manifest} manifest
 * @returns {Record<string, string>}
 */
function entriesOf({ exports }) {
  /** @type {Record<string, string>} */
  const entries = {};
  for (const [subpath, target] of Object.entries(exports)) {
    const source = typeof target === 'string' ? undefined : target[SOURCE];
    if (typeof source === 'string') entries[entryName(subpath)] = source;
  }
  return entries;
}

/**
 * The name of what is built for a subpath of `exports`: `index` for `.`, `engine` for `./engine`.
 * @param {string} subpath
 */
export function entryName(subpath) {
  return subpath === '.' ? 'index' : subpath.slice('./'.length);
}

/**
 * The part of an argument or path that names a package: `@scope/name` or `name`.
 * @param {string} specifier
 */
export function packageName(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

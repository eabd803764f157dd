/**
 * Keeps the entries of other platforms in `package-lock.json`.
 *
 * `npm install` beside an existing `node_modules` drops the optional packages of every platform but its own (swc, oxlint,
 * DuckDB, rolldown …), and `npm ci` on another machine then refuses the lockfile or installs half of it.
 *
 *     node scripts/lockfile.mjs              exits with status 1 and names what is missing
 *     node scripts/lockfile.mjs --restore    puts it back: from the last commit, and what is new from the registry by npm
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} Entry */
/** @typedef {{ packages: Record<string, Entry> }} Lockfile */
/** @typedef {{ name: string, range: string, wantedBy: string }} Missing */

/** Of the folder that it is run in, as npm does. */
const PATH = 'package-lock.json';
/** What an entry of the lockfile repeats from the manifest of its package. */
const COPIED_FIELDS = 'version integrity cpu libc license dependencies optionalDependencies os engines'.split(' ');

/**
 * Dependencies that the lockfile names and has no entry for.
 * @param {Lockfile} lockfile
 * @returns {Missing[]}
 */
export function missingEntries({ packages }) {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries({ ...entry.optionalDependencies, ...(entry.optional === true ? entry.dependencies : {}) })
      .filter(([name]) => findEntry(packages, path, name) === undefined)
      .map(([name, range]) => ({ name, range, wantedBy: path })),
  );
}

/**
 * The entry that `name` resolves to for the package at `path`: its own `node_modules`, then those above.
 * @param {Record<string, Entry>} packages
 * @param {string} path
 * @param {string} name
 * @returns {Entry | undefined}
 */
function findEntry(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const found = packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found !== undefined || folder === '') return found;
  }
}

/**
 * Adds every missing entry, also those that an added one needs.
 * @param {Lockfile} lockfile
 * @param {Lockfile} committed - the lockfile of the last commit, which still has most of them
 * @param {(name: string, range: string) => Entry} readFromRegistry
 * @returns {string[]} the paths of what was added
 */
export function restoreEntries(lockfile, committed, readFromRegistry) {
  const added = [];
  for (let missing = missingEntries(lockfile)[0]; missing !== undefined; missing = missingEntries(lockfile)[0]) {
    const { name, range, wantedBy } = missing;
    const earlier = findEntry(committed.packages, wantedBy, name);
    const isSame = earlier !== undefined && (earlier.version === range || !/^\d/.test(range));
    const isDevelopment = /** @type {{ dev?: boolean }} */ (lockfile.packages[wantedBy])?.dev === true;
    const path = `node_modules/${name}`;
    lockfile.packages[path] = isSame
      ? earlier
      : { ...readFromRegistry(name, range), ...(isDevelopment ? { dev: true } : {}), optional: true };
    added.push(path);
  }
  const workspaceFirst = Object.entries(lockfile.packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  lockfile.packages = Object.fromEntries(workspaceFirst);
  return added;
}

/**
 * @param {string} name
 * @param {string} range
 * @returns {Entry}
 */
function askNpm(name, range) {
  const words = ['view', `${name}@${range}`, 'dist.integrity', ...COPIED_FIELDS, '--json'];
  const answer = JSON.parse(execFileSync('npm', words, { encoding: 'utf8' }));
  // A range has an answer per version, the newest last; an exact version has one.
  const manifest = Array.isArray(answer) ? answer.at(-1) : answer;
  const fields = { ...manifest, integrity: manifest['dist.integrity'] };
  return Object.fromEntries(
    COPIED_FIELDS.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]),
  );
}

/** @param {string} text */
const parse = (text) => /** @type {Lockfile} */ (JSON.parse(text));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lockfile = parse(readFileSync(PATH, 'utf8'));
  if (process.argv.includes('--restore')) {
    const committed = execFileSync('git', ['show', `HEAD:./${PATH}`], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const added = restoreEntries(lockfile, parse(committed), askNpm);
    writeFileSync(PATH, `${JSON.stringify(lockfile, null, 2)}\n`);
    console.log(added.length === 0 ? 'package-lock.json has every entry.' : `Put back ${added.length} entries:`);
    for (const path of added) console.log(`  ${path}`);
  } else {
    const missing = missingEntries(lockfile);
    for (const { name, range, wantedBy } of missing) {
      console.error(`package-lock.json has no entry for ${name}@${range}, which ${wantedBy || 'the root'} needs.`);
    }
    if (missing.length > 0) {
      console.error('npm install dropped the packages of other platforms; run: npm run lockfile:restore');
      process.exitCode = 1;
    }
  }
}

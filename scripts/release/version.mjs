/**
 * Gives every package a version, also where they name each other and in the examples.
 *
 *     npm run release:version -- 0.2.0
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPackages, ROOT } from '../build/packages.mjs';

const [version = ''] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
  console.error('Say which version: npm run release:version -- 0.2.0');
  process.exit(1);
}

const names = readPackages().map(({ manifest }) => manifest.name);
const examples = readdirSync(join(ROOT, 'examples')).map((name) => join(ROOT, 'examples', name, 'package.json'));
for (const path of [...readPackages().map(({ manifestPath }) => manifestPath), ...examples]) {
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  if (names.includes(manifest.name)) manifest.version = version;
  for (const dependencies of [manifest.dependencies, manifest.devDependencies]) {
    for (const name of Object.keys(dependencies ?? {})) if (names.includes(name)) dependencies[name] = version;
  }
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], { cwd: ROOT, stdio: 'inherit' });
execFileSync('npm', ['run', '--silent', 'lockfile:restore'], { cwd: ROOT, stdio: 'inherit' });
console.log(`All packages have version ${version}; each CHANGELOG.md needs a section "## ${version}".`);

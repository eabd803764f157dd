/**
 * Publishes every package, those that others need first. Run by `.github/workflows/release.yml`; `--dry-run` shows what
 * it would do. What the registry already has is passed over, so that a release that broke off can be run again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPackages } from '../build/packages.mjs';
import { packAll } from './pack.mjs';

const isDryRun = process.argv.includes('--dry-run');
const manifests = new Map(readPackages().map(({ manifest }) => [manifest.name, manifest]));

const folder = mkdtempSync(join(tmpdir(), 'convotel-publish-'));
try {
  for (const { name, version, path } of packAll(folder).toSorted((a, b) => depthOf(a.name) - depthOf(b.name))) {
    if (!isDryRun && isPublished(name, version)) {
      console.log(`${name} ${version} is published already.`);
      continue;
    }
    const words = isDryRun ? ['--dry-run'] : ['--provenance'];
    execFileSync('npm', ['publish', path, '--access', 'public', ...words], { stdio: 'inherit' });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * How many of our own packages stand below it, one upon the other.
 * @param {string} name
 * @returns {number}
 */
function depthOf(name) {
  const needed = Object.keys(manifests.get(name)?.dependencies ?? {}).filter((each) => manifests.has(each));
  return needed.length === 0 ? 0 : 1 + Math.max(...needed.map(depthOf));
}

/**
 * @param {string} name
 * @param {string} version
 */
function isPublished(name, version) {
  return spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' }).stdout.trim() === version;
}

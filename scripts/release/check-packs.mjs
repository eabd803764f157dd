/**
 * Checks the packs as their users' tools read them: publint for manifests and formats, Are The Types Wrong for types.
 *
 *     node scripts/release/check-packs.mjs
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packAll } from './pack.mjs';

/** Exports that are data, and have no types. */
const DATA = /\.json$/;

/**
 * What is wrong with the packs, a line each.
 * @param {import('./pack.mjs').Pack[]} packs
 */
export async function problemsOf(packs) {
  const problems = [];
  for (const { name, path } of packs) {
    const archive = readFileSync(path);
    const tarball = archive.buffer.slice(archive.byteOffset, archive.byteOffset + archive.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball }, level: 'suggestion', strict: true });
    problems.push(...messages.map((message) => `${name}: publint: ${formatMessage(message, pkg)}`));

    const { subpaths } = JSON.parse(JSON.stringify({ subpaths: Object.keys(pkg.exports ?? {}) }));
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)), {
      excludeEntrypoints: subpaths.filter((/** @type {string} */ subpath) => DATA.test(subpath)),
    });
    if (!('problems' in analysis)) problems.push(`${name}: has no types`);
    else problems.push(...analysis.problems.map((problem) => `${name}: types: ${JSON.stringify(problem)}`));
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'convotel-packs-'));
  try {
    const packs = packAll(folder);
    const problems = await problemsOf(packs);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
    else console.log(`${packs.length} packs: publint and Are The Types Wrong find nothing.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Completes the manifests of the packages: from one line an entry in `exports`, such as
 * `"./engine": { "@convotel/source": "./src/engine.ts" }`, to what Node, TypeScript and bundlers read.
 *
 *     node scripts/build/manifests.mjs            writes them
 *     node scripts/build/manifests.mjs --check    exits with status 1 when one is not complete
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { entryName, readPackages, ROOT, SOURCE } from './packages.mjs';

const isCheck = process.argv.includes('--check');
for (const { manifestPath, manifest, entries } of readPackages()) {
  const written = `${JSON.stringify(completed(manifest, Object.keys(entries)), null, 2)}\n`;
  if (written === readFileSync(manifestPath, 'utf8')) continue;
  const path = relative(ROOT, manifestPath);
  if (isCheck) {
    console.error(`${path} is not complete; run: npm run manifests`);
    process.exitCode = 1;
  } else {
    writeFileSync(manifestPath, written);
    console.log(`completed ${path}`);
  }
}

/**
 * @param {import('./packages.mjs').Manifest} manifest
 * @param {string[]} entries
 */
function completed(manifest, entries) {
  const { exports, main: _main, types: _types, typesVersions: _versions, ...rest } = /** @type {any} */ (manifest);
  const subpaths = entries.filter((entry) => entry !== 'index');
  const described = {
    ...Object.fromEntries(
      Object.entries(exports).map(([subpath, target]) => [
        subpath,
        typeof target === 'string' ? target : conditionsOf(entryName(subpath), target[SOURCE]),
      ]),
    ),
    // Tools look here for a version; nothing is exported by accident that users then rely on.
    './package.json': './package.json',
  };
  // TypeScript's `moduleResolution: node10` reads neither `exports` nor its conditions.
  const forNode10 = {
    main: './dist/cjs/index.js',
    types: './dist/cjs/index.d.ts',
    ...(subpaths.length === 0
      ? {}
      : {
          typesVersions: { '*': Object.fromEntries(subpaths.map((entry) => [entry, [`./dist/cjs/${entry}.d.ts`]])) },
        }),
  };
  const result = /** @type {Record<string, unknown>} */ ({});
  for (const [key, value] of Object.entries(rest)) {
    // They stand before `files`, where `exports` stood.
    if (key === 'files') Object.assign(result, forNode10, { exports: described });
    result[key] = value;
  }
  return result;
}

/**
 * Each format has types of its own: a declaration is ECMAScript or CommonJS by where it stands, like a program.
 * @param {string} entry
 * @param {string} source
 */
function conditionsOf(entry, source) {
  return {
    [SOURCE]: source,
    import: { types: `./dist/esm/${entry}.d.ts`, default: `./dist/esm/${entry}.js` },
    require: { types: `./dist/cjs/${entry}.d.ts`, default: `./dist/cjs/${entry}.js` },
  };
}

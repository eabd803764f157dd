import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Makes the declarations in `dist/esm` such that every TypeScript reads them, and writes them a second time for CommonJS.
 * @param {import('./packages.mjs').Package} each
 */
export function publishDeclarations({ folder }) {
  const esm = join(folder, 'dist/esm');
  const cjs = join(folder, 'dist/cjs');
  if (!existsSync(esm)) return;
  for (const path of readdirSync(esm, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.d.ts')) continue;
    // tsc leaves the declaration of a source that has gone.
    if (!existsSync(join(folder, 'src', path.replace(/\.d\.ts$/, '.ts')))) {
      rmSync(join(esm, path));
      rmSync(join(cjs, path), { force: true });
      continue;
    }
    const text = readFileSync(join(esm, path), 'utf8');
    const published = text.replaceAll(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2');
    if (published !== text) writeFileSync(join(esm, path), published);
    mkdirSync(dirname(join(cjs, path)), { recursive: true });
    writeFileSync(join(cjs, path), published);
  }
  // Node and TypeScript take a file for CommonJS by the nearest manifest; bundlers read the other field there too.
  writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n');
}

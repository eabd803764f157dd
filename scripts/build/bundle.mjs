/**
 * Bundles the packages: `dist/esm` and `dist/cjs` with a file an entry, chunks for what is imported dynamically, source
 * maps, and the declarations that `tsc -b` wrote into `dist/esm`.
 *
 * A package with a command is one CommonJS program with everything in it but what is native: Node starts that fastest.
 * Its ECMAScript entries hand on what the program exports.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { publishDeclarations } from './declarations.mjs';
import { chunksOf } from './chunks.mjs';
import { lazyBuiltins } from './lazy-builtins.mjs';
import { narrowImports } from './narrow-imports.mjs';
import { readPackages, ROOT, packageName } from './packages.mjs';
import { writeNotices } from './notices.mjs';
import { buildPage } from './page.mjs';

/** @typedef {import('./packages.mjs').Package} Package */

/** Where the module that runs a package's command stands. */
const COMMAND_ENTRY = './src/run-as-program.ts';
/** Files that sources read at run time, relative to themselves. */
const isData = (/** @type {string} */ path) => path.endsWith('.sql');

/** How long plugins take depends on the machine, and is nothing to be warned of. */
const QUIET = { bundlerTimings: false };

const packages = readPackages();

/** @param {Package} library */
async function bundleLibrary(library) {
  const bundle = await rolldown({
    cwd: library.folder,
    checks: QUIET,
    input: library.entries,
    platform: 'node',
    // What it does not own stays an import, so that a program has it once.
    external: (id) => !/^[./]/.test(id),
    plugins: [sourceUrls(library)],
  });
  await bundle.write(outputOf(library, 'esm'));
  await bundle.write(outputOf(library, 'cjs'));
  await bundle.close();
}

/** @param {Package} program */
async function bundleProgram(program) {
  const dependencies = Object.keys(program.manifest.dependencies ?? {});
  // Loaded when asked for, from wherever the user has installed it.
  for (const { manifest } of packages) dependencies.push(...Object.keys(manifest.peerDependenciesMeta ?? {}));
  const bundle = await rolldown({
    // Which chunk a module is in is decided below, not by how it is imported.
    onLog: (level, log, print) => (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT' ? undefined : print(level, log)),
    cwd: program.folder,
    checks: QUIET,
    input: { ...program.entries, 'run-as-program': COMMAND_ENTRY },
    platform: 'node',
    resolve: { conditionNames: ['@convotel/source', 'import', 'node', 'default'] },
    preserveEntrySignatures: 'allow-extension',
    external: (id) => id.startsWith('node:') || dependencies.includes(packageName(id)),
    plugins: [sourceUrls(program), lazyBuiltins(), narrowImports(), writeNotices(join(program.folder, 'dist'))],
  });
  const { output } = await bundle.write({
    ...outputOf(program, 'cjs'),
    sourcemapExcludeSources: false,
    // What is not read need not be compiled at every start.
    comments: { legal: true, annotation: false, jsdoc: false },
    codeSplitting: chunksOf(program, COMMAND_ENTRY),
  });
  await bundle.close();

  for (const chunk of output) {
    if (chunk.type !== 'chunk' || !chunk.isEntry || program.entries[chunk.name] === undefined) continue;
    const text = `import program from '../cjs/${chunk.fileName}';\nexport const { ${chunk.exports.join(', ')} } = program;\n`;
    mkdirSync(join(program.folder, 'dist/esm'), { recursive: true });
    writeFileSync(join(program.folder, 'dist/esm', chunk.fileName), text);
  }
  for (const bundled of packages) if (bundled !== program) copyData(bundled, program);
}

/**
 * @param {Package} each
 * @param {'esm' | 'cjs'} format
 * @returns {import('rolldown').OutputOptions}
 */
function outputOf({ folder }, format) {
  return {
    dir: join(folder, 'dist', format),
    format,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    // The sources are published beside, under `src`.
    sourcemapExcludeSources: true,
    exports: 'named',
  };
}

/**
 * A source that reads a file beside it says `new URL('…', import.meta.url)`. In a bundle that is written as the place of
 * the source, seen from the output: its own package's sources are where they were, those of others below
 * `dist/bundled/<package>`.
 * @param {Package} into
 * @returns {import('rolldown').Plugin}
 */
function sourceUrls(into) {
  return {
    name: 'source-urls',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null;
      const owner = packages.find(({ folder }) => id.startsWith(`${folder}/src/`));
      if (owner === undefined) return null;
      const inOwner = relative(owner.folder, id);
      const place = owner === into ? `../../${inOwner}` : `../bundled/${placeOf(owner)}/${inOwner}`;
      // A line stays a line, so the map of what was there before is good enough.
      const text = code.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`);
      return { code: text, map: null };
    },
  };
}

/** @param {Package} each */
const placeOf = ({ folder }) => relative(join(ROOT, 'packages'), folder);

/**
 * @param {Package} from
 * @param {Package} program
 */
function copyData(from, program) {
  for (const path of readdirSync(from.folder, { recursive: true, encoding: 'utf8' })) {
    if (!isData(path) || /^(node_modules|dist|test)\b/.test(path)) continue;
    const target = join(program.folder, 'dist/bundled', placeOf(from), path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(from.folder, path), target);
  }
}

/**
 * Takes away what an earlier build left and this one has not written again. Not before: a program that runs from here
 * may still load a chunk.
 * @param {Package} each
 * @param {number} startedMs - when this build began
 */
function removeOutdated({ folder }, startedMs) {
  const dist = join(folder, 'dist');
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    // tsc keeps account of its declarations; where a source has gone, they go elsewhere.
    const isOurs =
      /\.js(\.map)?$|^bundled\b/.test(path) || !/^(esm|cjs|bundled)\b|^\.tsbuildinfo$|^THIRD-PARTY/.test(path);
    const found = statSync(join(dist, path), { throwIfNoEntry: false });
    if (isOurs && found?.isFile() === true && found.mtimeMs < startedMs) rmSync(join(dist, path));
  }
}

// File systems keep times in steps, some of a millisecond.
const startedMs = Date.now() - 2;
await Promise.all(
  packages.map((each) => (each.manifest.bin === undefined ? bundleLibrary(each) : bundleProgram(each))),
);
await buildPage();
for (const each of packages) publishDeclarations(each);
for (const each of packages) removeOutdated(each, startedMs);

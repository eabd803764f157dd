/**
 * Packs this checkout and installs it in another project, as it will be once it is published.
 *
 *     npm run pack:into -- ../my-project
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { ROOT } from '../build/packages.mjs';
import { packAll } from './pack.mjs';

/** Where the archives stay, because the project's lockfile names them. */
const ARCHIVES = 'convotel-packs';
/** What a program needs when it runs; the rest of the project is for a desk. */
const IN_PRODUCTION = ['@convotel/conventions', '@convotel/sdk', '@convotel/tracing'];
const ON_A_DESK = ['convotel'];

const [target] = process.argv.slice(2);
if (target === undefined) fail('Say which project to install into: npm run pack:into -- ../my-project');
const project = resolve(process.env['INIT_CWD'] ?? '.', target);
if (!existsSync(join(project, 'package.json'))) fail(`${project} has no package.json; run npm init in it first.`);
if (project === resolve(ROOT)) fail('The project to install into is this checkout itself.');

const archives = join(project, ARCHIVES);
mkdirSync(archives, { recursive: true });
install('--save', IN_PRODUCTION);
install('--save-dev', ON_A_DESK);
console.log(
  `Installed from ${relative(project, archives)}/: ${IN_PRODUCTION.join(', ')}, and for your desk ${ON_A_DESK.join(', ')}.`,
);

/**
 * @param {'--save' | '--save-dev'} how
 * @param {string[]} names
 */
function install(how, names) {
  const packs = packAll(archives, (name) => names.includes(name));
  const paths = packs.map(({ path }) => `./${join(ARCHIVES, basename(path))}`);
  execFileSync('npm', ['install', '--no-fund', '--no-audit', how, ...paths], { cwd: project, stdio: 'inherit' });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}

import { join } from 'node:path';
import { build } from 'vite';
import { writeNotices } from './notices.mjs';
import { ROOT } from './packages.mjs';

/** Where the built page stands, within the command that serves it. */
const PAGE_OUTPUT = join(ROOT, 'packages/cli/dist/page');

/** Builds the web page into the command, with the licenses of what is in it. */
export async function buildPage() {
  await build({
    configFile: join(ROOT, 'packages/page/vite.config.mjs'),
    logLevel: 'warn',
    plugins: [writeNotices(PAGE_OUTPUT)],
  });
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { checkGo } from './src/programs/go-toolchain.ts';
import { cacheFolder, definitionFolder } from './src/programs/program.ts';

const BUILD = fileURLToPath(new URL('./dist/build.js', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-build-'));
  await symlink(process.execPath, join(folder, 'node'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs `npm run stack:build`'s program with nothing on the PATH but what is in `folder`. */
function build(cacheHome: string): Promise<{ status: number; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: folder, XDG_CACHE_HOME: cacheHome, HOME: folder };
    execFile(process.execPath, [BUILD], { env }, (error, _stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stderr });
    });
  });
}

test('without Go it says in a sentence what is missing', async () => {
  const { status, stderr } = await build(join(folder, 'cache'));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The programs of the stack .+ Install Go 1\.26 or newer and run this again; .+\.\n$/);
});

test('a Go that is too old says so in its own words', async () => {
  await writeFile(join(folder, 'go.mod'), 'module future\n\ngo 1.99\n');
  const { GOTOOLCHAIN } = process.env;
  // Or it would try to fetch that Go.
  process.env['GOTOOLCHAIN'] = 'local';
  try {
    await expect(checkGo(folder)).rejects.toMatchObject({
      code: 'GO_UNSUITABLE',
      message: expect.stringMatching(/cannot build the stack's programs: go: go\.mod requires go >= 1\.99/),
    });
  } finally {
    if (GOTOOLCHAIN === undefined) delete process.env['GOTOOLCHAIN'];
    else process.env['GOTOOLCHAIN'] = GOTOOLCHAIN;
  }
  await expect(checkGo(definitionFolder('prometheus'))).resolves.toBeUndefined();
});

test('when everything is built, nothing is left to do, and it needs no Go', async () => {
  const { status, stderr } = await build(join(cacheFolder(), '../..'));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

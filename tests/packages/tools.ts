import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT, run } from './install.ts';
import type { Installation } from './install.ts';

/** A test as it stands in a user's project; `tests` and `expect` are global in both runners. */
const assertions = (load: string): string => `${load}
test('a step gives back what its function returns', async () => {
  const tracing = startTracing({ serviceName: 'tested', endpoint: 'http://127.0.0.1:9', metrics: false, warn() {} });
  const reply = await conversation(async (c) => c.step('gpt', async () => 'reply'));
  expect(reply).toBe('reply');
  void tracing;
});`;
const REQUIRED = `const { conversation } = require('@convotel/tracing');\nconst { startTracing } = require('@convotel/sdk');`;
const IMPORTED = `import { conversation } from '@convotel/tracing';\nimport { startTracing } from '@convotel/sdk';`;

const PROGRAM = `${IMPORTED}
const tracing = startTracing({ serviceName: 'bundled', endpoint: 'http://127.0.0.1:9', metrics: false, warn: () => {} });
void conversation(async (c) => c.step('gpt', async () => 'reply')).then((reply) => {
  console.log(reply);
  process.exit(0);
});
void tracing;`;

/** What esbuild's ECMAScript output needs when something in it is CommonJS, as OpenTelemetry is. */
const BANNER = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** Test runners and bundlers as users have them. */
export function describeTools(installation: () => Installation): void {
  const tool = (path: string, ...words: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(process.execPath, [join(ROOT, 'node_modules', path), ...words], {
      cwd: installation().folder,
      env: { ...process.env, NODE_OPTIONS: '' },
    });

  describe('the installed packages work', () => {
    test("in Jest's default configuration", async () => {
      await mkdir(join(installation().folder, 'jest'), { recursive: true });
      await installation().write('jest/steps.test.js', assertions(REQUIRED));
      const { stderr } = await tool('jest/bin/jest.js', '--rootDir', 'jest', '--forceExit');
      expect(stderr).toContain('1 passed');
    }, 60_000);

    test('in vitest', async () => {
      await mkdir(join(installation().folder, 'vitest'), { recursive: true });
      await installation().write('vitest/steps.test.mjs', assertions(IMPORTED));
      const { stdout } = await tool('vitest/vitest.mjs', 'run', '--globals', '--root', 'vitest');
      expect(stdout).toContain('1 passed');
    }, 60_000);

    test.each([
      ['CommonJS', ['--format=cjs', '--outfile=bundled.cjs'], 'bundled.cjs'],
      ['ECMAScript', ['--format=esm', '--outfile=bundled.mjs', `--banner:js=${BANNER}`], 'bundled.mjs'],
    ])('bundled by esbuild to %s', async (_format, words, output) => {
      const { folder, write } = installation();
      const path = await write('program.mjs', PROGRAM);
      await run(join(ROOT, 'node_modules/.bin/esbuild'), [path, '--bundle', '--platform=node', ...words], {
        cwd: folder,
      });
      expect((await run(process.execPath, [join(folder, output)])).stdout).toBe('reply\n');
    });
  });
}

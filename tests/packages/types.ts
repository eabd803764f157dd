import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT, run } from './install.ts';
import type { Installation } from './install.ts';

/** The compilers: the newest, and the last one of version 5, which most programs have. */
const COMPILERS = {
  'TypeScript 5': join(ROOT, 'scripts/node_modules/typescript/bin/tsc'),
  'TypeScript 7': join(ROOT, 'node_modules/typescript/bin/tsc'),
};

/** How programs are set up: `module`, `moduleResolution`, and whether the program is CommonJS. */
const SET_UPS: readonly (readonly [
  keyof typeof COMPILERS,
  string,
  string,
  'program.mts' | 'program.cts' | 'program.ts',
])[] = [
  ['TypeScript 5', 'nodenext', 'nodenext', 'program.mts'],
  ['TypeScript 5', 'node16', 'node16', 'program.cts'],
  ['TypeScript 5', 'esnext', 'bundler', 'program.ts'],
  ['TypeScript 5', 'commonjs', 'node10', 'program.ts'],
  ['TypeScript 7', 'nodenext', 'nodenext', 'program.mts'],
  ['TypeScript 7', 'node16', 'node16', 'program.cts'],
  ['TypeScript 7', 'esnext', 'bundler', 'program.ts'],
];

/** The types that users' compilers see, in every way that programs are set up. */
export function describeTypes(installation: () => Installation): void {
  const program = readFileSync(join(ROOT, 'tests/packages/programs/typed-program.ts'), 'utf8');

  describe('the installed types', () => {
    test.each(SET_UPS)(
      '%s, module %s, resolution %s, %s',
      async (compiler, module, resolution, name) => {
        expect(await compile(compiler, module, resolution, name, program)).toBe('');
      },
      60_000,
    );

    test.each([
      ['take undefined for whatever may be left out', 'undefined-options'],
      ['keep overloads and type parameters of a wrapped function', 'overloads'],
    ])(
      '%s',
      async (_what, program) => {
        const text = readFileSync(join(ROOT, `tests/packages/programs/${program}.ts`), 'utf8');
        expect(await compile('TypeScript 5', 'nodenext', 'nodenext', `${program}.mts`, text)).toBe('');
      },
      60_000,
    );

    test('refuse what is wrong', async () => {
      const wrong = `import { startTracing } from '@convotel/sdk';\nstartTracing({ serviceName: 1 });`;
      expect(await compile('TypeScript 5', 'nodenext', 'nodenext', 'wrong.mts', wrong)).toContain('TS2322');
    }, 60_000);
  });

  async function compile(
    compiler: keyof typeof COMPILERS,
    module: string,
    resolution: string,
    name: string,
    text: string,
  ): Promise<string> {
    const { folder, write } = installation();
    const path = await write(name, text);
    // The declarations of OpenTelemetry are its own affair, those of convotel are checked where they are built.
    const flags = '--noEmit --strict --exactOptionalPropertyTypes --target es2023 --skipLibCheck --types node'.split(
      ' ',
    );
    const words = [...flags, '--typeRoots', join(ROOT, 'node_modules/@types'), '--module', module];
    words.push('--moduleResolution', resolution, path);

    return run(process.execPath, [COMPILERS[compiler], ...words], { cwd: folder }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
  }
}

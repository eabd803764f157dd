import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalBackend } from '@convotel/local';
import { run, specifiersOf } from './install.ts';
import type { Installation, Manifest } from './install.ts';

/** Prints the names of the exports of every specifier in `process.argv`. */
const NAMES_OF_IMPORTS = `
const names = {};
for (const specifier of process.argv.slice(2)) names[specifier] = Object.keys(await import(specifier)).filter((name) => name !== 'default').sort();
console.log(JSON.stringify(names));`;
const NAMES_OF_REQUIRES = `
const names = {};
for (const specifier of process.argv.slice(2)) names[specifier] = Object.keys(require(specifier)).sort();
console.log(JSON.stringify(names));`;

/** A program of which one half is ECMAScript and the other CommonJS: each has its own copy of every package. */
const BOTH_COPIES = `
import { createRequire } from 'node:module';
import * as imported from '@convotel/tracing';
import { startTracing } from '@convotel/sdk';
const require = createRequire(import.meta.url);
const required = require('@convotel/tracing');
if (imported.step === required.step) throw new Error('there is one copy only');

const tracing = startTracing({ serviceName: 'both-copies', captureContent: true, metrics: false });
if (require('@convotel/sdk').startTracing({ warn() {} }) !== tracing) throw new Error('the SDK was set up twice');
await imported.conversation({ conversationId: 'imported' }, async () => {
  await required.step('gpt', { input: 'asked' }, async () => {
    await imported.step('tool', async () => 'answered');
  });
});
await required.conversation({ conversationId: 'required' }, async () => {
  await imported.step('gpt', async () => 'answered');
});
await tracing.shutdown();`;

/** How the installed packages load in Node, by `import` and by `require`, and both at once. */
export function describeLoading(installation: () => Installation): void {
  describe('the installed packages', () => {
    let backend: Awaited<ReturnType<typeof startLocalBackend>>;
    beforeAll(async () => {
      backend = await startLocalBackend({ port: 0, storePath: join(installation().folder, 'store.duckdb') });
    });
    afterAll(() => backend.stop());

    test('export the same by import and by require', async () => {
      const { folder, packs, write } = installation();
      const specifiers = packs.flatMap(({ name }) => {
        const path = join(folder, 'node_modules', name, 'package.json');
        return specifiersOf(JSON.parse(readFileSync(path, 'utf8')) as Manifest);
      });
      expect(specifiers.length).toBeGreaterThanOrEqual(6);
      const namesBy = async (path: string): Promise<Record<string, string[]>> =>
        JSON.parse((await run(process.execPath, [path, ...specifiers])).stdout) as Record<string, string[]>;
      const imported = await namesBy(await write('names.mjs', NAMES_OF_IMPORTS));
      const required = await namesBy(await write('names.cjs', NAMES_OF_REQUIRES));
      expect(required).toEqual(imported);
      for (const specifier of specifiers)
        expect({ specifier, count: imported[specifier]?.length }).not.toEqual({ specifier, count: 0 });
    });

    test('have one state for the copies of both formats', async () => {
      const { folder, write } = installation();
      const { stderr } = await run(process.execPath, [await write('both-copies.mjs', BOTH_COPIES)], {
        env: { PATH: process.env['PATH'], OTEL_EXPORTER_OTLP_ENDPOINT: backend.url },
        timeout: 30_000,
      });
      expect(stderr).toBe('');
      const trace = async (id: string): Promise<TracedStep[]> => {
        const words = ['trace', id, '--json', '--from', backend.url];
        const { stdout } = await run(join(folder, 'node_modules/.bin/convotel'), words);
        return (JSON.parse(stdout) as { data: { steps: TracedStep[] } }).data.steps;
      };
      const steps = (await trace('imported')).toSorted((a, b) => a.depth - b.depth);
      expect(steps.map(({ step, depth, input }) => ({ step, depth, input }))).toEqual([
        // The setting of one copy of the SDK holds for the other copy of the steps.
        { step: 'gpt', depth: 0, input: 'asked' },
        { step: 'tool', depth: 1, input: undefined },
      ]);
      expect((await trace('required')).map(({ step }) => step)).toEqual(['gpt']);
    });

    test.each([
      ['require', 'schema.cjs', `const schema = require('convotel/schema/answers.schema.json');`],
      ['import', 'schema.mjs', `import schema from 'convotel/schema/answers.schema.json' with { type: 'json' };`],
    ])('hand out the JSON schema by %s', async (_way, name, line) => {
      const path = await installation().write(name, `${line}\nconsole.log(schema.$schema);`);
      expect((await run(process.execPath, [path])).stdout).toMatch(/^https:\/\/json-schema\.org\//);
    });
  });
}

interface TracedStep {
  step: string;
  depth: number;
  input?: string;
}

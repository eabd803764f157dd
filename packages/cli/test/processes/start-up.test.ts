import { expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, writeOtlpFile } from '../main/otlp-file.ts';
import { runConvotel } from './run-convotel.ts';

/** Prints the address of every module that is loaded, on standard error. */
const TELL_MODULES = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(
    'export async function load(url, context, next) { process._rawDebug("MODULE " + url); return next(url, context); }'
  ));
`)}`;

async function modulesOf(words: string[]): Promise<string[]> {
  const { stderr } = await runConvotel(words, { nodeOptions: ['--import', TELL_MODULES] });
  return stderr.split('\n').filter((line) => line.startsWith('MODULE '));
}

const isHeavy = (module: string): boolean => /duckdb|opentelemetry|packages\/(local|sdk|tracing)\//.test(module);

/** Names of the commands whose definition was loaded. */
const commandsOf = (modules: string[]): string[] =>
  modules.flatMap((module) => /packages\/cli\/dist\/commands\/(?!commands)([\w-]+)\.js$/.exec(module)?.[1] ?? []);

test.each([
  [['--help'], []],
  [['--version'], []],
  [['avrages'], []],
  [['averages', '--help'], ['averages']],
  [['serve', '--help'], ['serve']],
])('%j loads no library and only the commands %j', async (words, commands) => {
  const modules = await modulesOf(words);
  expect(modules.length).toBeGreaterThan(5);
  expect(modules.filter((module) => isHeavy(module) || module.includes('packages/query/'))).toEqual([]);
  expect(commandsOf(modules)).toEqual(commands);
});

test('a query on a file loads neither DuckDB nor OpenTelemetry, no other command, and nothing to measure plain text', async () => {
  const modules = await modulesOf(['recent', '--from', await writeOtlpFile(FOUR_CONVERSATIONS)]);
  expect(modules.some((module) => module.includes('packages/query/'))).toBe(true);
  expect(modules.filter((module) => isHeavy(module) || module.includes('string-width'))).toEqual([]);
  expect(commandsOf(modules)).toEqual(['recent']);
});

test('wide characters are measured, also below one another', async () => {
  const from = await writeOtlpFile([
    { id: '会话', start: '2025-10-08T14:30:00Z', steps: [{ step: '声音', durationMs: 10 }] },
    { id: 'ab', start: '2025-10-08T14:31:00Z', steps: [{ step: 'llm', durationMs: 10 }] },
  ]);
  const { stdout } = await runConvotel(['recent', '--from', from]);
  expect(stdout).toMatch(/^ab {29}2025-10-08T14:31/m);
  expect(stdout).toMatch(/^会话 {27}2025-10-08T14:30/m);
});

test('help begins with examples', async () => {
  const { status, stdout, stderr } = await runConvotel(['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^Examples:\n {2}\$ convotel demo/);
  const own = await runConvotel(['slow', '--help']);
  expect(own.stdout).toMatch(/^Examples:\n {2}\$ convotel slow/);
  expect(own.stdout).toContain('--threshold <ms>');
});

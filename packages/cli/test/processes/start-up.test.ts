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

test.each([['--help'], ['averages', '--help'], ['--version'], ['avrages']])(
  '%s %s loads neither DuckDB nor OpenTelemetry nor the library',
  async (...words) => {
    const modules = await modulesOf(words.filter((word) => word !== undefined));
    expect(modules.length).toBeGreaterThan(10);
    expect(modules.filter((module) => isHeavy(module) || module.includes('packages/query/'))).toEqual([]);
  },
);

test('a query on a file loads neither DuckDB nor OpenTelemetry', async () => {
  const modules = await modulesOf(['recent', '--from', await writeOtlpFile(FOUR_CONVERSATIONS)]);
  expect(modules.some((module) => module.includes('packages/query/'))).toBe(true);
  expect(modules.filter(isHeavy)).toEqual([]);
});

test('help begins with examples', async () => {
  const { status, stdout, stderr } = await runConvotel(['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^Examples:\n {2}\$ convotel demo/);
  const own = await runConvotel(['slow', '--help']);
  expect(own.stdout).toMatch(/^Examples:\n {2}\$ convotel slow/);
  expect(own.stdout).toContain('--threshold <ms>');
});

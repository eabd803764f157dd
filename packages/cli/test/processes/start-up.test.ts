import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, writeOtlpFile } from '../main/otlp-file.ts';
import { runConvotel, startServe } from './run-convotel.ts';

/** Prints the path of every file that was loaded, on standard error, as the process ends. */
const TELL_FILES = `process.on('exit', () => {
  for (const path of Object.keys(require.cache)) process._rawDebug('LOADED ' + path);
});`;

let folder: string;
let tellFiles: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-start-up-'));
  tellFiles = join(folder, 'tell-files.cjs');
  writeFileSync(tellFiles, TELL_FILES);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The sources in the files that a call loads, by the files' maps. */
async function loadedSources(words: readonly string[]): Promise<string[]> {
  const { stderr } = await runConvotel([...words], { nodeOptions: ['--require', tellFiles] });
  const files = [...stderr.matchAll(/^LOADED (.*\/packages\/cli\/dist\/.*)$/gm)].map((match) => match[1] as string);
  const native = [...stderr.matchAll(/^LOADED (.*\/node_modules\/.*)$/gm)].map((match) => match[1] as string);
  const mapped = files.flatMap((file) => {
    // Files of the bundler's own have no sources.
    if (!existsSync(`${file}.map`)) return [];
    const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
    return sources.map((source) => resolve(dirname(file), source));
  });
  return [...mapped, ...native];
}

const isHeavy = (source: string): boolean => /duckdb|opentelemetry|packages\/(sdk|tracing)\//.test(source);
const isLibrary = (source: string): boolean => source.includes('/packages/query/');

/** Names of the commands whose definition was loaded. */
const commandsOf = (sources: readonly string[]): string[] =>
  sources.flatMap((source) => /packages\/cli\/src\/commands\/(?!commands)([\w-]+)\.ts$/.exec(source)?.[1] ?? []);

test.each([
  [['--help'], []],
  [['--version'], []],
  [['avrages'], []],
  [['averages', '--help'], ['averages']],
  [['serve', '--help'], ['serve']],
])('%j loads no library and only the commands %j', async (words, commands) => {
  const sources = await loadedSources(words);
  expect(sources.map((source) => basename(source))).toContain('main.ts');
  expect(sources.filter((source) => isHeavy(source) || isLibrary(source))).toEqual([]);
  expect(commandsOf(sources)).toEqual(commands);
});

test('a query on a file loads neither DuckDB nor OpenTelemetry, no other command, and nothing to measure plain text', async () => {
  const sources = await loadedSources(['recent', '--from', await writeOtlpFile(FOUR_CONVERSATIONS)]);
  expect(sources.some(isLibrary)).toBe(true);
  expect(sources.filter((source) => isHeavy(source) || source.includes('string-width'))).toEqual([]);
  expect(commandsOf(sources)).toEqual(['recent']);
});

test('a query that a running serve answers loads nothing of the back end but what finds it', async () => {
  const storePath = join(folder, 'served.duckdb');
  const serving = await startServe(storePath);
  try {
    const sources = await loadedSources(['recent', '--store', storePath]);
    expect(sources.some(isLibrary)).toBe(true);
    expect(sources.filter(isHeavy)).toEqual([]);
    const ofBackEnd = sources.flatMap((source) => /packages\/local\/src\/(.*)$/.exec(source)?.[1] ?? []);
    expect(ofBackEnd.filter((path) => !/^(source\/connect|store-files|local-error|discovery)\.ts$/.test(path))).toEqual(
      [],
    );
  } finally {
    await serving.end('SIGTERM');
  }
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
  expect(own.stdout).toContain('--threshold <time>');
});

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transformSync } from '@swc/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { startLocalBackend } from '@convotel/local';
import { ServeSource } from '@convotel/query';
import { codeBlocks, ROOT } from './code-blocks.ts';

const run = promisify(execFile);
const BIN = join(ROOT, 'packages/cli/bin/convotel.js');
/** Below the project's own modules, so that a snippet finds the packages as an installed program would. */
const SNIPPETS = join(ROOT, 'node_modules/.convotel-snippets');

const blocks = codeBlocks();
const ofLanguage = (...languages: string[]): [string, string][] =>
  blocks.filter(({ language }) => languages.includes(language)).map(({ place, text }) => [place, text]);

let backend: Awaited<ReturnType<typeof startLocalBackend>>;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'convotel-documents-'));
  mkdirSync(SNIPPETS, { recursive: true });
  backend = await startLocalBackend({ port: 0, storePath: join(folder, 'store.duckdb') });
});

afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true, force: true });
  rmSync(SNIPPETS, { recursive: true, force: true });
});

/** Environment of a snippet: it sends to and asks the test's back end, wherever it would by default. */
function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_OPTIONS: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: backend.url,
    CONVOTEL_FROM: backend.url,
    CONVOTEL_STORE: join(folder, 'store.duckdb'),
  };
}

describe('a snippet runs', () => {
  test.each(ofLanguage('ts', 'js'))('%s', async (place, text) => {
    const { code } = transformSync(text, {
      filename: `${place}.ts`,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: 'es6' },
    });
    const format = /\brequire\(/.test(text) ? 'cjs' : 'mjs';
    const path = join(SNIPPETS, `${place.replaceAll(/\W/g, '-')}.${format}`);
    writeFileSync(path, code);
    // A snippet that fails, or does not end, rejects here.
    const { stderr } = await run(process.execPath, [path], { cwd: ROOT, env: environment(), timeout: 20_000 });
    expect(stderr).toBe('');
  });

  test('and the one of the README sends its conversation', async () => {
    const source = new ServeSource(backend.url);
    const { data } = await source.ask({
      name: 'conversations',
      order: 'newest',
      limit: 100,
      filters: { service: 'voice-bot' },
    });
    expect(data.map(({ stepCount, outcome }) => ({ stepCount, outcome }))).toContainEqual({
      stepCount: 3,
      outcome: 'completed',
    });
  });
});

describe('a shell snippet runs', () => {
  const lines = ofLanguage('sh').flatMap(([place, text]) =>
    text
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .flatMap((line) => line.split(' && '))
      .map((line): [string, string] => [place, line]),
  );
  const scripts = Object.keys(
    (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts,
  );

  test.each(lines)('%s: %s', async (_place, line) => {
    const words = line.split(/\s+/);
    if (words[0] === 'npx' && words[1] === 'convotel') {
      // What runs until Ctrl-C, or has a test of its own, is only asked for its help.
      const isLasting =
        ['serve', 'demo'].includes(words[2] ?? '') || (words[2] === 'watch' && !words.includes('--once'));
      const call = isLasting ? [words[2] as string, '--help'] : words.slice(2);
      const exit = await run(process.execPath, [BIN, ...call], { env: environment(), timeout: 20_000 }).then(
        () => 0,
        (error: { code?: number }) => error.code,
      );
      // 10 is the answer of a watch that has something to say.
      expect([0, 10]).toContain(exit);
    } else if (words[0] === 'npm' && words[1] === 'run') {
      expect(scripts).toContain(words[2]);
    } else {
      expect(line).toMatch(/^(npm (ci|test|start|install)\b|cd |export |CONVOTEL_TEST_SEED=)/);
    }
  });
});

describe('a JSON snippet', () => {
  test.each(ofLanguage('json'))('%s is JSON', (_place, text) => {
    expect(() => void JSON.parse(text)).not.toThrow();
  });

  test('of the conventions follows the schema', () => {
    const [, text] = ofLanguage('json').find(([place]) => place.startsWith('docs/conventions.md')) as [string, string];
    const schema = JSON.parse(readFileSync(join(ROOT, 'packages/cli/schema/answers.schema.json'), 'utf8')) as object;
    const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
    validate(JSON.parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });
});

describe('a link between documents', () => {
  const links = [...readLinks()];

  test.each(links)('%s → %s leads to a file', (from, target) => {
    expect(existsSync(join(ROOT, from, '..', target))).toBe(true);
  });

  test('there are some', () => {
    expect(links.length).toBeGreaterThan(10);
  });
});

function* readLinks(): Generator<[string, string]> {
  for (const path of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/ARCHITECTURE.md',
    'docs/conventions.md',
    'docs/decisions/README.md',
  ]) {
    for (const [, target] of readFileSync(join(ROOT, path), 'utf8').matchAll(/\]\(([^)#:]+)[^):]*\)/g)) {
      yield [path, target as string];
    }
  }
}

test('every path that the architecture names is there', () => {
  const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
  const paths = [...text.matchAll(/`((?:packages|tests|bench|docs|examples)\/[^`]*)`/g)].map(
    (match) => match[1] as string,
  );
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

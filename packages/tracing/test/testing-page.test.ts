import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { transformSync } from '@swc/core';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const page = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8');
/** A program of somebody else's: its modules are those of this project. */
const folder = mkdtempSync(join(tmpdir(), 'convotel-testing-page-'));
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function block(language: string, type: 'es6' | 'commonjs' = 'es6'): string {
  const [, text] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)!;
  return transformSync(text!, { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type } }).code;
}

test('the page for Jest passes in Jest with its default configuration for ES modules', async () => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', jest: { transform: {} } }));
  writeFileSync(join(folder, 'answer.js'), block('ts'));
  writeFileSync(join(folder, 'answer.test.js'), block('jest'));
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--experimental-vm-modules', join(ROOT, 'node_modules/jest/bin/jest.js')],
    { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  expect(stderr).toContain('1 passed, 1 total');
});

test('the page for CommonJS passes in Jest as it comes, written so or compiled to it', async () => {
  const withCommonJs = mkdtempSync(join(tmpdir(), 'convotel-testing-page-'));
  symlinkSync(join(ROOT, 'node_modules'), join(withCommonJs, 'node_modules'));
  writeFileSync(join(withCommonJs, 'package.json'), JSON.stringify({ jest: { transform: {} } }));
  writeFileSync(join(withCommonJs, 'answer.js'), block('ts', 'commonjs'));
  writeFileSync(join(withCommonJs, 'answer.test.js'), block('jest-commonjs', 'commonjs'));
  writeFileSync(join(withCommonJs, 'compiled.test.js'), block('jest', 'commonjs'));
  const { stderr } = await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/jest/bin/jest.js')], {
    cwd: withCommonJs,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(stderr).toContain('2 passed, 2 total');
  rmSync(withCommonJs, { recursive: true, force: true });
});

test('the page for CommonJS differs in how it imports only', () => {
  const lines = (language: string): string[] =>
    block(language)
      .split('\n')
      .filter((line) => !/^import |require\(/.test(line));
  expect(lines('jest-commonjs')).toEqual(lines('jest'));
});

test('the page for vitest says the same, in the words of vitest', () => {
  const inJest = block('vitest').replaceAll('vi.', 'jest.').replace("jest.test'", "vitest'");
  const lines = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('import {'));
  expect(lines(inJest)).toEqual(lines(block('jest')));
});

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { binaryPath } from './src/programs/program.ts';

const run = promisify(execFile);
const RULES_FOLDER = fileURLToPath(new URL('../../stack/prometheus/rules/', import.meta.url));
const TESTS_FOLDER = fileURLToPath(new URL('rules/', import.meta.url));

/** Runs promtool; what it says. Rejects with that when it is not content. */
async function promtool(...words: string[]): Promise<string> {
  const { stdout, stderr } = await run(binaryPath('promtool'), words);
  return `${stdout}${stderr}`;
}

describe('promtool', () => {
  test('finds nothing wrong with the rules', async () => {
    const files = readdirSync(RULES_FOLDER).map((file) => `${RULES_FOLDER}${file}`);
    const said = await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files);
    expect(said.match(/SUCCESS/g)).toHaveLength(files.length);
  });

  test('finds nothing wrong with the configuration that names them', async () => {
    const config = fileURLToPath(new URL('../../stack/prometheus/prometheus.yml', import.meta.url));
    expect(await promtool('check', 'config', '--lint=all', '--lint-fatal', config)).toContain('2 rule files found');
  });

  for (const file of readdirSync(TESTS_FOLDER)) {
    test(`sees the alerts of ${file} fire and stay away as written there`, async () => {
      expect(await promtool('test', 'rules', `${TESTS_FOLDER}${file}`)).toContain('SUCCESS');
    });
  }
});

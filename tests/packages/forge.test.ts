import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ROOT } from './install.ts';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Workflow {
  jobs: Record<string, { uses?: string; steps?: Step[]; needs?: string; permissions?: object; strategy?: Strategy }>;
}
interface Strategy {
  matrix: { node?: number[] };
}

const FOLDER = join(ROOT, '.github/workflows');
const workflows = readdirSync(FOLDER).map((name): [string, Workflow] => [
  name,
  parse(readFileSync(join(FOLDER, name), 'utf8')) as Workflow,
]);
const { scripts, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};
/** The majors that `engines` names. */
const supported = [...engines.node.matchAll(/(?:\^|>=)(\d+)/g)].map((match) => Number(match[1]));

describe('the workflows', () => {
  test.each(workflows)('%s run scripts that there are', (_name, { jobs }) => {
    const commands = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run = [] }) => run));
    const missing = commands
      .flatMap((command) => [...command.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] as string))
      .filter((script) => !(script in scripts));
    expect(missing).toEqual([]);
  });

  test('check every Node that the packages promise to support', () => {
    const checks = workflows.find(([name]) => name === 'checks.yml')![1];
    expect(supported.length).toBeGreaterThanOrEqual(3);
    expect(checks.jobs['check']!.strategy!.matrix.node).toEqual(expect.arrayContaining(supported));
  });

  test('publish after the checks, with the right to say where a package was built', () => {
    const { jobs } = workflows.find(([name]) => name === 'release.yml')![1];
    expect(jobs['checks']!.uses).toBe('./.github/workflows/checks.yml');
    expect(jobs['publish']!.needs).toBe('checks');
    expect(jobs['publish']!.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  });
});

test('.nvmrc names a Node that is supported', () => {
  expect(supported).toContain(Number(readFileSync(join(ROOT, '.nvmrc'), 'utf8')));
});

import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../main/otlp-file.ts';
import { runConvotel } from './run-convotel.ts';

let folder: string;
let script: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  script = join(folder, 'convotel.bash');
  await writeFile(script, (await runConvotel(['completion', 'bash'])).stdout);
  await writeFile(join(folder, 'two words.jsonl'), '');
  await mkdir(join(folder, 'two-folder'));
});

/** What a real bash offers at the end of `line`. */
function offered(line: string): string[] {
  const words = line.split(' ');
  const program = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
    _convotel
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-u', '-c', program, 'bash', script, ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('in bash', () => {
  test('the commands are offered', async () => {
    const help = (await runConvotel(['--help'])).stdout;
    const names = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(
      (match) => match[1] as string,
    );
    expect(names.length).toBeGreaterThan(15);
    expect(offered('convotel ').toSorted()).toEqual([...names, 'help', '--help', '--version'].toSorted());
    expect(offered('convotel com').toSorted()).toEqual(['common-errors', 'compare', 'completion']);
    expect(offered('convotel help tr')).toEqual(['trace']);
  });

  test.each(['recent', 'compare', 'watch', 'serve', 'hours'])(
    'every option of %s that its help shows is offered',
    async (command) => {
      const help = (await runConvotel([command, '--help'])).stdout;
      const options = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z\d-]+)/gm)].map((match) => match[1] as string);
      expect(offered(`convotel ${command} --`).toSorted()).toEqual(options.toSorted());
    },
  );

  test.each([
    ['convotel recent --outcome ', ['completed', 'failed', 'timed_out', 'interrupted', 'abandoned', 'open']],
    ['convotel recent --outcome f', ['failed']],
    ['convotel compare --fail-on s', ['slower']],
    ['convotel summary l', ['latest']],
    ['convotel completion ', ['bash', 'zsh', 'fish', '--help']],
    ['convotel recent --limit ', []],
    ['convotel recent -n ', []],
    ['convotel recent --from loc', ['local']],
    ['convotel recent --from two', ['two words.jsonl', 'two-folder']],
    ['convotel recent --json --csv --no-f', ['--no-findings']],
    ['convotel nonsense ', []],
  ])('%s', (line, words) => {
    expect(offered(line).toSorted()).toEqual(words.toSorted());
  });

  test('the script is bash', () => {
    expect(spawnSync('bash', ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

test.each(['zsh', 'fish'])('the script for %s names every command and option', async (shell) => {
  const { status, stdout } = await runConvotel(['completion', shell]);
  expect(status).toBe(0);
  for (const word of ['recent', 'common-errors', 'completion', 'max-p95', 'no-graph', 'latest', 'timed_out']) {
    expect(stdout).toContain(word);
  }
});

test('a shell that is not known is wrong usage', async () => {
  expect(await runConvotel(['completion', 'powershell'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'convotel: completion takes bash, zsh or fish, got "powershell".\n',
  });
});

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { flagOf } from '../../src/command-line/command.ts';
import { COMMANDS } from '../../src/commands/commands.ts';

/** The names of the commands that have an option, by option as it is written. */
const commandsByFlag = new Map<string, string[]>();
/** The commands that print an answer. */
const answering: string[] = [];

beforeAll(async () => {
  for (const { name, load } of COMMANDS) {
    const { options } = (await load()).command;
    if ('csv' in options) answering.push(name);
    for (const [key, { hasNegation }] of Object.entries(options)) {
      const flag = flagOf(key);
      for (const each of hasNegation === true ? [flag, flag.replace('--', '--no-')] : [flag]) {
        commandsByFlag.set(each, [...(commandsByFlag.get(each) ?? []), name]);
      }
    }
  }
});

/** The rows of the README's table of options. */
function documentedRows(): { flags: string[]; commands: string[] }[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table = ''] = /## Options\n[^]*?\n\|[- |]+\|\n((?:\|.*\n)+)/.exec(readme) ?? [];
  const named = (text: string): string[] => [...text.matchAll(/`([a-z-]+)`/g)].map((match) => match[1] as string);
  return table
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, options = '', , commands = ''] = line.split('|');
      const [all, others = commands] = commands.includes('all that answer') ? commands.split('all that answer') : [];
      const [except = '', more = ''] = others.startsWith(' except') ? others.split(', and ') : ['', others];
      const left = named(except);
      return {
        flags: [...options.matchAll(/`(--[a-z-]+)`/g)].map((match) => match[1] as string),
        commands: [...(all === undefined ? [] : answering.filter((name) => !left.includes(name))), ...named(more)],
      };
    });
}

test('the README says which command takes which option', () => {
  const rows = documentedRows();
  expect(rows.length).toBeGreaterThan(10);
  for (const { flags, commands } of rows) {
    for (const flag of flags) {
      expect({ flag, commands: commands.toSorted() }).toEqual({ flag, commands: commandsByFlag.get(flag)?.toSorted() });
    }
  }
});

test('every option that several commands have stands in the README', () => {
  const documented = new Set(documentedRows().flatMap(({ flags }) => flags));
  const shared = [...commandsByFlag].filter(([, commands]) => commands.length > 1).map(([flag]) => flag);
  expect(shared.filter((flag) => !documented.has(flag))).toEqual([]);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '@convotel/conventions';
import { LocalError } from '@convotel/local';
import { QueryError, SourceError, TimeError } from '@convotel/query';
import { AnswerFormatError, OtlpFormatError, QuestionFormatError } from '@convotel/query/engine';
import { TracingOptionsError } from '@convotel/sdk';
import { UsageError } from '../../packages/cli/src/terminal.ts';
import { ROOT } from './code-blocks.ts';

const document = await readFile(join(ROOT, 'docs/errors.md'), 'utf8');
const cause = new Error('the reason');
const made = [
  new QueryError('OPTION_OUT_OF_RANGE', 'message', { cause }),
  new SourceError('UNREACHABLE', 'message', { cause }),
  new TimeError('DATE_MALFORMED', 'message', { cause }),
  new OtlpFormatError('message', { cause }),
  new QuestionFormatError('message', { cause }),
  new AnswerFormatError('message', { cause }),
  new LocalError('PORT_IN_USE', 'message', { cause }),
  new TracingOptionsError('INVALID_ENDPOINT', 'message', { cause }),
  new UsageError('message', { cause }),
];

test('the document lists every code of every class, with what happened and what to do, and no other', () => {
  const cells = [...document.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| (.+?) +\| (.+?) +\|$/gm)].map((row) => row.slice(1));
  const table = Object.entries(ERROR_CODES).flatMap(([name, codes]) =>
    Object.entries(codes).map(([code, { happened, next }]) => [name, code, happened, next]),
  );
  expect(cells).toEqual(table);
});

test('every class of the table is one that a package exports, and no package has another', () => {
  expect(made.map(({ name }) => name).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
});

test.each(made.map((error) => [error.name, error] as const))(
  '%s carries one of its codes and the cause',
  (name, error) => {
    expect(Object.keys(ERROR_CODES[name])).toContain(error.code);
    expect(error).toMatchObject({ message: 'message', cause });
    expect(String(error)).toBe(`${name}: message`);
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toContain('errors.test');
    expect(made.filter((other) => other instanceof (error.constructor as typeof QueryError))).toEqual([error]);
  },
);

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { conversation } from '@convotel/tracing';
import { recordSpans } from './support/span-recorder.ts';

test('spans name this package and the version in its package.json', () => {
  const recorder = recordSpans();
  conversation(() => {});
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    name: string;
    version: string;
  };
  expect(recorder.only('conversation').instrumentationScope).toMatchObject({ name, version });
});

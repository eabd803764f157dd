import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { redactErrorMessage } from '@convotel/sdk';
import { seedOfRun } from '@convotel/suite';
import { labelledTexts, lookAlikes } from './labelled-texts.ts';

const seed = seedOfRun();

test('of at least 500 labelled texts, 99 % are masked', () => {
  const texts = labelledTexts(seed);
  const readable = texts.filter(({ text, secrets }) => {
    const redacted = redactErrorMessage(text);
    return secrets.some((secret) => redacted.includes(secret));
  });
  const recall = 1 - readable.length / texts.length;
  const falseAlarms = lookAlikes(seed).filter((text) => redactErrorMessage(text) !== text);
  console.log(
    `seed ${seed}: ${texts.length} texts, recall ${(recall * 100).toFixed(2)} %, ` +
      `false alarms ${falseAlarms.length} of ${lookAlikes(seed).length}`,
    readable.slice(0, 12).map(({ kind, text }) => `${kind}: ${text} → ${redactErrorMessage(text)}`),
    falseAlarms.slice(0, 8).map((text) => `${text} → ${redactErrorMessage(text)}`),
  );
  expect(texts.length).toBeGreaterThanOrEqual(500);
  expect(recall).toBeGreaterThanOrEqual(0.99);
});

const DEADLINE_MS = 60_000;

const PIECES = [
  'a',
  '1',
  '1 ',
  '1-',
  '@',
  'a@',
  'a@b.',
  'token ',
  'password',
  'password=',
  'pwd="',
  "key='",
  '://a:',
  'https://',
  'eyJ',
  'eyJaaaaaa.',
  '. ',
  'sk-',
  'Bearer ',
  'DE12 ',
  '(1',
  '-----BEGIN PRIVATE KEY-----',
  '%40',
  'aA1',
  'sk-aaaa',
  'a.b@',
  'x'.repeat(64) + '@',
  'cookie:',
  '\\"',
  'A'.repeat(31) + '/',
  'a:bcd@',
  ' -u a:',
  'mysql ',
  ' -p',
  'redis-cli -a',
  'authorization: x="',
  "token', ",
  'token given used',
  'your code is ',
];

/**
 * What is linear takes milliseconds for each of these; what is quadratic takes minutes, and the deadline ends it. It runs
 * elsewhere, because nothing ends a search in the thread that waits for it.
 */
describe('a text of 500,000 characters is redacted in the end', () => {
  const sdk = fileURLToPath(new URL('../../dist/cjs/index.js', import.meta.url));
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { redactErrorMessage } = require(${JSON.stringify(sdk)});
    parentPort.on('message', (text) => parentPort.postMessage(redactErrorMessage(text).length));
  `;
  let worker: Worker;
  beforeAll(() => {
    worker = new Worker(program, { eval: true });
  });
  afterAll(() => worker.terminate());

  test.each(PIECES)(
    '%j over and over',
    async (piece) => {
      worker.postMessage(piece.repeat(Math.ceil(500_000 / piece.length)));
      const [length] = (await once(worker, 'message')) as [number];
      expect(length).toBeGreaterThan(0);
    },
    DEADLINE_MS,
  );
});

import { expect, test } from '@jest/globals';
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
];

test.each(PIECES)('%j over and over takes time in proportion to its length', (piece) => {
  const timeOf = (length: number): number => {
    const text = piece.repeat(Math.ceil(length / piece.length));
    let best = Infinity;
    for (let round = 0; round < 7; round += 1) {
      // The time of this process on a core; other processes do not lengthen it.
      const before = process.cpuUsage();
      redactErrorMessage(text);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1000);
    }
    return best;
  };
  timeOf(10_000);
  const [short, long] = [timeOf(25_000), timeOf(200_000)];
  // Eight times the text. Quadratic work would take 64 times as long, and seconds; what takes no time says nothing.
  if (long > 40) expect(long / Math.max(short, 0.1)).toBeLessThan(40);
});

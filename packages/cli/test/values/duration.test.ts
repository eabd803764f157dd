import { expect, test } from '@jest/globals';
import { durationInWords, parseDurationNano } from '../../src/values.ts';

test.each([
  ['500ms', 500_000_000n],
  ['90s', 90_000_000_000n],
  ['5m', 300_000_000_000n],
  ['24h', 86_400_000_000_000n],
  ['7d', 604_800_000_000_000n],
  ['2w', 1_209_600_000_000_000n],
  ['1h30m', 5_400_000_000_000n],
  ['1m500ms', 60_500_000_000n],
  ['1.5h', 5_400_000_000_000n],
  ['0.25s500ms', 750_000_000n],
])('%s is %s nanoseconds', (text, nano) => {
  expect(parseDurationNano(text, '--since')).toBe(nano);
});

test.each(['', '24', '-1h', '.5h', '1.h', 'h', '1 h', '1y', 'P1D', '0s', '0h0m'])('"%s" is not a duration', (text) => {
  expect(() => parseDurationNano(text, '--since')).toThrow(/^--since /);
});

test('a bare number is answered with what was probably meant', () => {
  expect(() => parseDurationNano('24', '--span')).toThrow('Did you mean 24s or 24h?');
});

test.each([
  ['24h', '24 hours'],
  ['1h', '1 hour'],
  ['7d', '7 days'],
  ['90s', '90 seconds'],
  ['1h30m', '1h30m'],
])('a heading says %s as %s', (text, words) => {
  expect(durationInWords(text)).toBe(words);
});

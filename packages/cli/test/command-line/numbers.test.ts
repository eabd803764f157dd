import { describe, expect, test } from '@jest/globals';
import { parseByteSize } from '../../src/command-line/byte-size.ts';
import { parseMilliseconds, parsePercentage, parseWholeNumber } from '../../src/command-line/number-option.ts';

describe('a size', () => {
  test('is a number with a unit of 1024', () => {
    expect(parseByteSize('500MiB', '--max-size')).toBe(524_288_000);
    expect(parseByteSize('2gib', '--max-size')).toBe(2_147_483_648);
  });

  test.each(['2', '2GB', '0MiB', '-1MiB', '1.5GiB', ''])('is not "%s"', (text) => {
    expect(() => parseByteSize(text, '--max-size')).toThrow(/^--max-size takes a size/);
  });
});

test('a whole number keeps to its bounds', () => {
  expect(parseWholeNumber('10', '--limit', 1, 10)).toBe(10);
  for (const text of ['0', '11', '1.5', '1e3', '-1', '', 'ten']) {
    expect(() => parseWholeNumber(text, '--limit', 1, 10)).toThrow(/^--limit takes a whole number from 1 to 10/);
  }
});

test('milliseconds may have decimals, but no sign', () => {
  expect(parseMilliseconds('5000.5', '--threshold')).toBe(5000.5);
  for (const text of ['-1', '5s', 'NaN', 'Infinity', '']) {
    expect(() => parseMilliseconds(text, '--threshold')).toThrow(/^--threshold takes milliseconds/);
  }
});

test('a percentage is from 0 to 100', () => {
  expect(parsePercentage('12.5', '--max-error-rate')).toBe(12.5);
  for (const text of ['101', '-1', '5%', '']) {
    expect(() => parsePercentage(text, '--max-error-rate')).toThrow(/^--max-error-rate takes a percentage/);
  }
});

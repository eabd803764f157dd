import { describe, expect, test } from '@jest/globals';
import { durationMs, byteSize, percentage, wholeNumber } from '../../src/values.ts';

describe('a size', () => {
  test('is a number with a unit of 1024', () => {
    expect(byteSize('500MiB', '--max-size')).toBe(524_288_000);
    expect(byteSize('2gib', '--max-size')).toBe(2_147_483_648);
  });

  test.each(['2', '2GB', '0MiB', '-1MiB', '1.5GiB', ''])('is not "%s"', (text) => {
    expect(() => byteSize(text, '--max-size')).toThrow(/^--max-size takes a size/);
  });
});

test('a whole number keeps to its bounds', () => {
  expect(wholeNumber(1, 10)('10', '--limit')).toBe(10);
  for (const text of ['0', '11', '1.5', '1e3', '-1', '', 'ten']) {
    expect(() => wholeNumber(1, 10)(text, '--limit')).toThrow(/^--limit takes a whole number from 1 to 10/);
  }
});

test('a time is a duration, or a bare number of milliseconds', () => {
  const read = (text: string): number => durationMs(text, '--threshold');
  expect(['5000.5', '8s', '1.5s', '500ms', '1m30s', '0', '0s'].map(read)).toEqual([
    5000.5, 8000, 1500, 500, 90_000, 0, 0,
  ]);
  for (const text of ['-1', '5x', 'NaN', 'Infinity', '', 's', '1 s', '1e3']) {
    expect(() => read(text)).toThrow(/^--threshold takes a time such as 8s/);
  }
});

test('a percentage is from 0 to 100', () => {
  expect(percentage('12.5', '--max-error-rate')).toBe(12.5);
  for (const text of ['101', '-1', '5%', '']) {
    expect(() => percentage(text, '--max-error-rate')).toThrow(/^--max-error-rate takes a percentage/);
  }
});

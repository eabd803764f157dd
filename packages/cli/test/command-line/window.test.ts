import { describe, expect, test } from '@jest/globals';
import { resolveWindow } from '../../src/command-line/window.ts';
import type { WindowTexts } from '../../src/command-line/window-options.ts';

const nano = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;
const NOW = nano('2025-10-08T15:00:00Z');
const resolve = (texts: WindowTexts, zone = 'UTC'): [string, string, string] => {
  const { window, windowText } = resolveWindow(texts, '24h', { timeZone: zone, nowUnixNano: NOW });
  const iso = (unixNano: bigint): string => new Date(Number(unixNano / 1_000_000n)).toISOString();
  return [iso(window.sinceUnixNano), iso(window.untilUnixNano), windowText];
};

describe('a window', () => {
  test('is the default up to now', () => {
    expect(resolve({})).toEqual(['2025-10-07T15:00:00.000Z', '2025-10-08T15:00:00.000Z', 'last 24 hours']);
  });

  test('counts a duration back from --until', () => {
    expect(resolve({ since: '2h', until: '2025-10-08T12:00:00Z' })).toEqual([
      '2025-10-08T10:00:00.000Z',
      '2025-10-08T12:00:00.000Z',
      '2h..2025-10-08T12:00:00Z',
    ]);
  });

  test('counts a duration in --until back from now', () => {
    expect(resolve({ since: '2h', until: '1h' }).slice(0, 2)).toEqual([
      '2025-10-08T12:00:00.000Z',
      '2025-10-08T14:00:00.000Z',
    ]);
  });

  test('takes --hours for --since', () => {
    expect(resolve({ hours: 3 })).toEqual(['2025-10-08T12:00:00.000Z', '2025-10-08T15:00:00.000Z', 'last 3 hours']);
  });

  test('reads a date as its midnight in the zone', () => {
    expect(resolve({ since: '2025-10-08' }, 'Asia/Kolkata')[0]).toBe('2025-10-07T18:30:00.000Z');
  });

  test('reads RFC 3339 with an offset', () => {
    expect(resolve({ since: '2025-10-08T10:00:00+02:00' })[0]).toBe('2025-10-08T08:00:00.000Z');
  });
});

test.each<[string, WindowTexts, RegExp]>([
  ['a bare number', { since: '24' }, /--since takes .* Did you mean 24h\?/],
  ['a time without an offset', { since: '2025-10-08T10:00:00' }, /with its offset/],
  ['a day that does not exist', { since: '2025-02-30' }, /--since takes/],
  ['--hours with --since', { since: '1h', hours: 1 }, /--hours and --since/],
  ['an end before the beginning', { since: '2025-10-08T12:00:00Z', until: '2025-10-08T11:00:00Z' }, /before --until/],
  ['an empty stretch', { since: '2025-10-08', until: '2025-10-08' }, /before --until/],
])('%s is wrong usage', (_what, texts, message) => {
  expect(() => resolve(texts)).toThrow(message);
});

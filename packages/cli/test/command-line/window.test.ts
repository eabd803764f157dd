import { describe, expect, test } from '@jest/globals';
import { resolveWindow } from '../../src/command-line/window.ts';
import type { WindowTexts } from '../../src/command-line/shared-options.ts';

const nano = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;
const NOW = nano('2025-10-08T15:00:00Z');
const resolve = (texts: WindowTexts, zone = 'UTC', now?: string): [string, string, string] => {
  const { window, windowText } = resolveWindow(texts, '24h', {
    timeZone: zone,
    nowUnixNano: now === undefined ? NOW : nano(now),
  });
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
      '2 hours before 2025-10-08T12:00:00Z',
    ]);
  });

  test('counts a duration in --until back from now', () => {
    expect(resolve({ since: '2h', until: '1h' })).toEqual([
      '2025-10-08T12:00:00.000Z',
      '2025-10-08T14:00:00.000Z',
      '2 hours before 1 hour ago',
    ]);
    expect(resolve({ since: '2025-10-08', until: '1h' })[2]).toBe('2025-10-08..1 hour ago');
  });

  test('takes --hours for --since', () => {
    expect(resolve({ hours: 3 })).toEqual(['2025-10-08T12:00:00.000Z', '2025-10-08T15:00:00.000Z', 'last 3 hours']);
  });

  test('knows now, today and yesterday, as the clocks of the zone show them', () => {
    expect(resolve({ since: 'yesterday', until: 'today' }, 'Asia/Kolkata').slice(0, 2)).toEqual([
      '2025-10-06T18:30:00.000Z',
      '2025-10-07T18:30:00.000Z',
    ]);
    // 15:00 in UTC is the next day already where clocks are 14 hours ahead.
    expect(resolve({ since: 'today' }, 'Pacific/Kiritimati')[0]).toBe('2025-10-08T10:00:00.000Z');
    expect(resolve({ since: '1h', until: 'now' })).toEqual([
      '2025-10-08T14:00:00.000Z',
      '2025-10-08T15:00:00.000Z',
      'last 1 hour',
    ]);
    // A day of 23 hours: clocks were put forward on 30 March.
    const [since, until] = resolve({ since: 'yesterday', until: 'today' }, 'Europe/Berlin', '2025-03-31T10:00:00Z');
    expect([since, until]).toEqual(['2025-03-29T23:00:00.000Z', '2025-03-30T22:00:00.000Z']);
  });

  test.each([
    ['2025-10-08 14:30', 'Asia/Kolkata', '2025-10-08T09:00:00.000Z'],
    ['2025-10-08T14:30:15', 'America/New_York', '2025-10-08T18:30:15.000Z'],
    // Shown twice as summer time ends: the first time counts.
    ['2025-10-26 02:30', 'Europe/Berlin', '2025-10-26T00:30:00.000Z'],
    // Skipped as summer time begins.
    ['2025-03-30 02:30', 'Europe/Berlin', '2025-03-30T01:30:00.000Z'],
    ['2025-03-30 03:30', 'Europe/Berlin', '2025-03-30T01:30:00.000Z'],
  ])('reads %s in %s as %s', (text, zone, instant) => {
    expect(resolve({ since: text, until: '2026-01-01' }, zone)[0]).toBe(instant);
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
  ['a day that does not exist', { since: '2025-02-30' }, /--since takes/],
  ['--hours with --since', { since: '1h', hours: 1 }, /--hours and --since/],
  ['an end before the beginning', { since: '2025-10-08T12:00:00Z', until: '2025-10-08T11:00:00Z' }, /before --until/],
  ['an empty stretch', { since: '2025-10-08', until: '2025-10-08' }, /before --until/],
])('%s is wrong usage', (_what, texts, message) => {
  expect(() => resolve(texts)).toThrow(message);
});

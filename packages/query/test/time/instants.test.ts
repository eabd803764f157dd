import { describe, expect, test } from '@jest/globals';
import { formatInstant, formatLocalInstant, parseInstant, TimeError, zonedMidnight } from '@convotel/query';

/** The code of the error that `run` throws. */
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof TimeError) return error.code;
    throw error;
  }
  return undefined;
}

describe('an instant as text', () => {
  test('is RFC 3339 in UTC, cut to microseconds', () => {
    expect(formatInstant(1_759_926_622_123_456_999n)).toBe('2025-10-08T12:30:22.123456Z');
    expect(formatInstant(0n)).toBe('1970-01-01T00:00:00.000000Z');
  });

  test('has as many decimals as asked for', () => {
    expect(formatInstant(1_759_926_622_123_456_789n, 9)).toBe('2025-10-08T12:30:22.123456789Z');
    expect(formatInstant(1_759_926_622_999_999_999n, 0)).toBe('2025-10-08T12:30:22Z');
  });

  test('is cut towards the past before 1970 too', () => {
    expect(formatInstant(-1n, 9)).toBe('1969-12-31T23:59:59.999999999Z');
    expect(formatInstant(-1_000_000_000n)).toBe('1969-12-31T23:59:59.000000Z');
  });

  test('has four digits for the year, or there is none', () => {
    expect(formatInstant(253_402_300_799n * 1_000_000_000n, 0)).toBe('9999-12-31T23:59:59Z');
    expect(codeOf(() => formatInstant(253_402_300_800n * 1_000_000_000n))).toBe('INSTANT_OUT_OF_RANGE');
    expect(codeOf(() => formatInstant(-(2n ** 70n)))).toBe('INSTANT_OUT_OF_RANGE');
  });

  test('shows what clocks of a zone show', () => {
    const instant = parseInstant('2025-10-08T12:30:22.123456789Z');
    expect(formatLocalInstant(instant, 'Europe/Berlin', 6)).toBe('2025-10-08T14:30:22.123456');
    expect(formatLocalInstant(instant, 'Asia/Kolkata', 0)).toBe('2025-10-08T18:00:22');
    expect(formatLocalInstant(instant, 'America/St_Johns', 3)).toBe('2025-10-08T10:00:22.123');
    expect(formatLocalInstant(parseInstant('1969-12-31T23:59:59.5Z'), 'UTC', 1)).toBe('1969-12-31T23:59:59.5');
  });

  test('follows the clocks through the begin and the end of summer time', () => {
    expect(formatLocalInstant(parseInstant('2025-03-30T00:59:59Z'), 'Europe/Berlin', 0)).toBe('2025-03-30T01:59:59');
    expect(formatLocalInstant(parseInstant('2025-03-30T01:00:00Z'), 'Europe/Berlin', 0)).toBe('2025-03-30T03:00:00');
    expect(formatLocalInstant(parseInstant('2025-10-26T00:30:00Z'), 'Europe/Berlin', 0)).toBe('2025-10-26T02:30:00');
    expect(formatLocalInstant(parseInstant('2025-10-26T01:30:00Z'), 'Europe/Berlin', 0)).toBe('2025-10-26T02:30:00');
  });

  test('needs a zone that exists', () => {
    expect(codeOf(() => formatLocalInstant(0n, 'Europe/Atlantis', 0))).toBe('TIME_ZONE_UNKNOWN');
  });
});

describe('reading an instant', () => {
  test.each([
    ['2025-10-08T12:30:22Z', 1_759_926_622_000_000_000n],
    ['2025-10-08t12:30:22.5z', 1_759_926_622_500_000_000n],
    ['2025-10-08T14:30:22.123456789+02:00', 1_759_926_622_123_456_789n],
    ['2025-10-08T07:00:22-05:30', 1_759_926_622_000_000_000n],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000_000n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000_000_000n],
  ])('%s', (text, unixNano) => {
    expect(parseInstant(text)).toBe(unixNano);
  });

  test.each([
    '',
    '2025-10-08',
    '2025-10-08T12:30:22',
    '2025-10-08 12:30:22Z',
    '2025-10-08T12:30Z',
    '2025-10-08T12:30:22.1234567890Z',
    '2025-10-08T12:30:22.Z',
    '2025-02-29T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-00-10T00:00:00Z',
    '2025-10-08T24:00:00Z',
    '2025-10-08T12:60:00Z',
    '2025-10-08T12:30:60Z',
    '2025-10-08T12:30:22+24:00',
    '2025-10-08T12:30:22+02:60',
    '2025-10-08T12:30:22+0200',
    ' 2025-10-08T12:30:22Z',
    '1759926622',
  ])('"%s" is none', (text) => {
    expect(codeOf(() => parseInstant(text))).toBe('INSTANT_MALFORMED');
  });

  test('undoes writing it', () => {
    for (const unixNano of [0n, 1n, 1_759_926_622_123_456_789n, -987_654_321n, 2n ** 63n - 1n]) {
      expect(parseInstant(formatInstant(unixNano, 9))).toBe(unixNano);
    }
  });
});

describe('midnight in a zone', () => {
  test.each([
    ['in UTC', '2025-10-08', 'UTC', '2025-10-08T00:00:00Z'],
    ['half an hour off', '2025-10-08', 'Asia/Kolkata', '2025-10-07T18:30:00Z'],
    ['of a day of 25 hours', '2025-10-26', 'Europe/Berlin', '2025-10-25T22:00:00Z'],
    ['after a day of 25 hours', '2025-10-27', 'Europe/Berlin', '2025-10-26T23:00:00Z'],
    ['of a day of 23 hours', '2025-03-30', 'Europe/Berlin', '2025-03-29T23:00:00Z'],
    ['that the clocks jump over', '2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['of a day that the clocks jump over', '2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['that comes twice', '2025-11-02', 'America/Havana', '2025-11-02T04:00:00Z'],
    ['fourteen hours ahead', '2025-01-01', 'Pacific/Kiritimati', '2024-12-31T10:00:00Z'],
    ['eleven hours behind', '2025-01-01', 'Pacific/Pago_Pago', '2025-01-01T11:00:00Z'],
  ])('%s', (_, date, timeZone, instant) => {
    expect(formatInstant(zonedMidnight(date, timeZone), 0)).toBe(instant);
  });

  test('needs a day that exists', () => {
    for (const date of ['2025-02-30', '2025-1-1', '20250101', '2025-01-01T00:00', '']) {
      expect(codeOf(() => zonedMidnight(date, 'UTC'))).toBe('DATE_MALFORMED');
    }
    expect(codeOf(() => zonedMidnight('2025-01-01', 'Mars/Base'))).toBe('TIME_ZONE_UNKNOWN');
  });
});

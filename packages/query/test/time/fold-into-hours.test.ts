import { describe, expect, test } from '@jest/globals';
import { formatInstant, isTimeZone, parseInstant } from '@convotel/query';
import { foldIntoHours, zoneOffsetSeconds } from '@convotel/query/engine';

/** Quarter hours with one conversation each, and the hours they fold into. */
function hoursOf(timeZone: string, ...starts: string[]): string[] {
  const quarterHours = starts.map((start) => ({ startUnixNano: parseInstant(start), conversations: 1 }));
  return foldIntoHours(quarterHours, 'hour', timeZone).map(
    ({ hourUnixNano, conversations }) => `${formatInstant(hourUnixNano!, 0)} ${conversations}`,
  );
}

describe('clock hours', () => {
  test('add up their quarter hours, the oldest first', () => {
    const starts = ['2025-10-08T13:00:00Z', '2025-10-08T12:45:00Z', '2025-10-08T12:00:00Z', '2025-10-08T12:15:00Z'];
    expect(hoursOf('Europe/Berlin', ...starts)).toEqual(['2025-10-08T12:00:00Z 3', '2025-10-08T13:00:00Z 1']);
  });

  test('begin at a quarter to where the zone is 45 minutes off', () => {
    expect(hoursOf('Asia/Kathmandu', '2025-10-08T12:00:00Z', '2025-10-08T12:15:00Z')).toEqual([
      '2025-10-08T11:15:00Z 1',
      '2025-10-08T12:15:00Z 1',
    ]);
  });

  test('that come twice are two', () => {
    expect(hoursOf('Europe/Berlin', '2025-10-26T00:45:00Z', '2025-10-26T01:00:00Z')).toEqual([
      '2025-10-26T00:00:00Z 1',
      '2025-10-26T01:00:00Z 1',
    ]);
  });

  test('begin at the change where clocks are changed by half an hour', () => {
    // Lord Howe: back from 02:00 +11:00 to 01:30 +10:30 at 15:00Z, forward from 02:00 +10:30 to 02:30 +11:00 at 15:30Z.
    expect(hoursOf('Australia/Lord_Howe', '2025-04-05T14:45:00Z', '2025-04-05T15:00:00Z')).toEqual([
      '2025-04-05T14:00:00Z 1',
      '2025-04-05T15:00:00Z 1',
    ]);
    expect(hoursOf('Australia/Lord_Howe', '2025-10-04T15:15:00Z', '2025-10-04T15:30:00Z')).toEqual([
      '2025-10-04T14:30:00Z 1',
      '2025-10-04T15:30:00Z 1',
    ]);
  });

  test('take any instant of a quarter hour, also before 1970', () => {
    expect(hoursOf('UTC', '1969-12-31T23:59:59.999999999Z', '1970-01-01T00:00:00Z')).toEqual([
      '1969-12-31T23:00:00Z 1',
      '1970-01-01T00:00:00Z 1',
    ]);
  });

  test('of nothing are none', () => {
    expect(foldIntoHours([{ startUnixNano: 0n, conversations: 0 }], 'hour', 'UTC')).toEqual([]);
  });
});

test('hours of the day add up over days and over the repeated hour', () => {
  const starts = ['2025-10-26T00:15:00Z', '2025-10-26T01:15:00Z', '2025-10-27T01:00:00Z', '2025-10-27T23:30:00Z'];
  const quarterHours = starts.map((start) => ({ startUnixNano: parseInstant(start), conversations: 2 }));
  expect(foldIntoHours(quarterHours, 'hourOfDay', 'Europe/Berlin')).toEqual([
    { hourOfDay: 0, conversations: 2 },
    { hourOfDay: 2, conversations: 6 },
  ]);
});

test('an offset is that of the instant', () => {
  expect(zoneOffsetSeconds(Date.parse('2025-07-01T00:00:00Z') / 1000, 'Europe/Berlin')).toBe(7200);
  expect(zoneOffsetSeconds(Date.parse('2025-01-01T00:00:00Z') / 1000, 'America/St_Johns')).toBe(-12_600);
});

test('a time zone is known or not', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
});

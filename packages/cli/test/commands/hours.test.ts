import { expect, test } from '@jest/globals';
import { busiestText, hoursText } from '../../src/commands/hours.ts';
import { ASKED, CONTEXT, contextIn, report, linesOf } from './reports-for-tests.ts';

function hours(...conversations: number[]): string[] {
  const rows = conversations.map((count, index) => ({
    hour: `2025-10-08T1${index}:00:00.000000Z`,
    conversations: count,
  }));
  return linesOf(hoursText(report('hours', rows), CONTEXT, ASKED)).slice(4);
}

test('the fullest hours are marked where they stand out', () => {
  expect(hours(1, 3, 3)).toEqual([
    '2025-10-08 10:00                   1',
    '2025-10-08 11:00                   3  ← Peak hour',
    '2025-10-08 12:00                   3  ← Peak hour',
  ]);
  expect(hours(3, 3)).toEqual(['2025-10-08 10:00                   3', '2025-10-08 11:00                   3']);
  expect(hours(3)).toEqual(['2025-10-08 10:00                   3']);
  expect(hours(1, 3, 3, 3).filter((line) => line.endsWith('Peak hour'))).toHaveLength(3);
  expect(hours(1, 3, 3, 3, 3).filter((line) => line.includes('Peak hour'))).toEqual([]);
  expect(hours()).toEqual(['No conversations in this window']);
});

test('an hour that clocks show twice is told apart by its offset', () => {
  const textsIn = (timeZone: string, ...hours: string[]): string[] => {
    const rows = hours.map((hour) => ({ hour: `${hour}:00.000000Z`, conversations: 1 }));
    return linesOf(hoursText(report('hours', rows), contextIn(timeZone), ASKED)).slice(4);
  };
  expect(textsIn('Europe/Berlin', '2025-10-26T00:00', '2025-10-26T01:00', '2025-10-26T02:00')).toEqual([
    '2025-10-26 02:00 (+02:00)                   1',
    '2025-10-26 02:00 (+01:00)                   1',
    '2025-10-26 03:00                            1',
  ]);
  expect(textsIn('America/St_Johns', '2025-11-02T03:30', '2025-11-02T04:30').map((line) => line.slice(16, 25))).toEqual(
    [' (-02:30)', ' (-03:30)'],
  );
});

test('hours of the day stand on a twelve-hour dial', () => {
  const rows = [0, 1, 11, 12, 13, 23].map((hourOfDay) => ({ hourOfDay, conversations: hourOfDay === 0 ? 100 : 1 }));
  expect(linesOf(busiestText(report('busiest', rows), CONTEXT))).toEqual([
    'Busiest Hours of Day (top 10)',
    '='.repeat(60),
    'Hour                   Conversations',
    '-'.repeat(60),
    '12:00 AM                        100  ← Most active',
    '01:00 AM                          1',
    '11:00 AM                          1',
    '12:00 PM                          1',
    '01:00 PM                          1',
    '11:00 PM                          1',
  ]);
});

import { expect, test } from '@jest/globals';
import { busiest, hours, MemorySource, parseInstant } from '@convotel/query';
import { recordConversation } from './record-conversation.ts';

const window = {
  sinceUnixNano: parseInstant('2025-10-01T00:00:00Z'),
  untilUnixNano: parseInstant('2025-11-01T00:00:00Z'),
};

function startingAt(...startTimes: string[]): MemorySource {
  return new MemorySource(
    startTimes.flatMap((startTime, index) =>
      recordConversation({ conversationId: `conversation ${index}`, startTime, steps: [] }),
    ),
  );
}

test('the hour that comes twice at the end of summer time is two rows in hours and one in busiest', async () => {
  // In Berlin 02:30 comes at 00:30 and at 01:30 UTC.
  const source = startingAt('2025-10-26T01:30:00Z', '2025-10-26T00:30:00Z', '2025-10-26T00:45:00Z');
  const asked = { window, timeZone: 'Europe/Berlin' };
  expect((await hours(source, asked)).data).toEqual([
    { hour: '2025-10-26T00:00:00.000000Z', conversations: 2 },
    { hour: '2025-10-26T01:00:00.000000Z', conversations: 1 },
  ]);
  expect((await busiest(source, asked)).data).toEqual([{ hourOfDay: 2, conversations: 3 }]);
});

test('hours begin where the zone says, also at half past', async () => {
  const source = startingAt('2025-10-08T10:20:00Z', '2025-10-08T10:40:00Z');
  expect((await hours(source, { window, timeZone: 'Asia/Kolkata' })).data).toEqual([
    { hour: '2025-10-08T09:30:00.000000Z', conversations: 1 },
    { hour: '2025-10-08T10:30:00.000000Z', conversations: 1 },
  ]);
});

test('busiest lists ten hours of the day, most conversations first, then the earlier hour', async () => {
  const twoDigits = (hour: number): string => String(hour).padStart(2, '0');
  const source = startingAt(
    ...Array.from({ length: 12 }, (_none, hour) => `2025-10-08T${twoDigits(hour + 3)}:00:00Z`),
    '2025-10-09T13:00:00Z',
  );
  const { data } = await busiest(source, { window, timeZone: 'UTC' });
  expect(data.map(({ hourOfDay, conversations }) => [hourOfDay, conversations])).toEqual([
    [13, 2],
    ...[3, 4, 5, 6, 7, 8, 9, 10, 11].map((hour) => [hour, 1]),
  ]);
});

import { expect, test } from '@jest/globals';
import { compare, longest, percentiles, QueryError, recent, slow, summary } from '@convotel/query';
import { DAY, exampleConversations } from './example-conversations.ts';

const source = exampleConversations();
const windowed = { window: DAY, timeZone: 'UTC' };
const empty = { sinceUnixNano: 5n, untilUnixNano: 5n };
const halves = { before: DAY, after: DAY, timeZone: 'UTC' };

test.each<[string, () => Promise<unknown>]>([
  ['window', () => longest(source, { ...windowed, window: empty })],
  ['window', () => recent(source, { timeZone: 'UTC', window: empty })],
  ['timeZone', () => longest(source, { ...windowed, timeZone: 'Mars/Olympus' })],
  ['timeZone', () => summary(source, { conversationId: 'any', timeZone: '' })],
  ['conversationId', () => summary(source, { conversationId: '', timeZone: 'UTC' })],
  ['conversationId', () => summary(source, { conversationId: 'x'.repeat(129), timeZone: 'UTC' })],
  ['limit', () => recent(source, { timeZone: 'UTC', limit: 0 })],
  ['limit', () => longest(source, { ...windowed, limit: 1.5 })],
  ['limit', () => slow(source, { ...windowed, limit: 10_001 })],
  ['thresholdMs', () => slow(source, { ...windowed, thresholdMs: -1 })],
  ['thresholdMs', () => slow(source, { ...windowed, thresholdMs: Number.NaN })],
  ['targetMs', () => summary(source, { conversationId: 'any', timeZone: 'UTC', targetMs: -1 })],
  ['window', () => percentiles(source, { ...windowed, window: empty, step: 'gpt' })],
  ['before', () => compare(source, { ...halves, before: empty })],
  ['after', () => compare(source, { ...halves, after: empty })],
  ['resamples', () => compare(source, { ...halves, resamples: 1999 })],
  ['seed', () => compare(source, { ...halves, seed: 0.5 })],
])('%s is checked at the door (case %#)', async (option, ask) => {
  const asked = ask();
  await expect(asked).rejects.toThrow(QueryError);
  await expect(asked).rejects.toMatchObject({
    code: 'OPTION_OUT_OF_RANGE',
    message: expect.stringMatching(new RegExp(`^${option} `)),
  });
});

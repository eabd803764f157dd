import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  conversationIdsOf,
  isConversationId,
  neverZero,
  newConversationId,
  rootSpanIdOf,
  traceIdOf,
} from '@convotel/conventions';

describe('ids of a conversation', () => {
  test('are the first 24 bytes of SHA-256 of "convotel:" and the id', () => {
    const digest = createHash('sha256').update('convotel:grüße 👋', 'utf8').digest('hex');
    expect(conversationIdsOf('grüße 👋')).toEqual({ traceId: digest.slice(0, 32), rootSpanId: digest.slice(32, 48) });
    expect(traceIdOf('grüße 👋')).toBe(digest.slice(0, 32));
    expect(rootSpanIdOf('grüße 👋')).toBe(digest.slice(32, 48));
  });

  test('stay as they were when version 1 was published', () => {
    expect(conversationIdsOf('20251008_143022_a1b2c3d4')).toEqual({
      traceId: 'a5e608f45e2fedbfccd26e2359f2f207',
      rootSpanId: '98fb05095d07f464',
    });
  });

  test('are never all zero, which OpenTelemetry calls invalid', () => {
    expect(neverZero('0000000000000000')).toBe('ffffffffffffffff');
    expect(neverZero('0000000000000001')).toBe('0000000000000001');
  });
});

describe('a new conversation id', () => {
  test('is the local date and time of the clock and sixteen hex digits, 64 bits by chance', () => {
    expect(newConversationId(() => new Date(2025, 9, 8, 14, 30, 22))).toMatch(/^20251008_143022_[0-9a-f]{16}$/);
  });

  test('pads every part', () => {
    expect(newConversationId(() => new Date(2026, 0, 2, 3, 4, 5))).toMatch(/^20260102_030405_[0-9a-f]{16}$/);
  });

  test('differs from 300,000 others of the same second, which 32 random bits would not', () => {
    const clock = (): Date => new Date(2026, 0, 1);
    const ids = new Set(Array.from({ length: 300_000 }, () => newConversationId(clock)));
    expect(ids.size).toBe(300_000);
  });
});

test('a conversation id has 1 to 128 characters', () => {
  expect(isConversationId('x')).toBe(true);
  expect(isConversationId('x'.repeat(128))).toBe(true);
  expect(isConversationId('x'.repeat(129))).toBe(false);
  expect(isConversationId('')).toBe(false);
  expect(isConversationId(7)).toBe(false);
});

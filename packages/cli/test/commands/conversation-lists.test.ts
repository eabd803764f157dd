import { describe, expect, test } from '@jest/globals';
import { longestText } from '../../src/commands/longest.ts';
import { recentText } from '../../src/commands/recent.ts';
import { slowText } from '../../src/commands/slow.ts';
import { ASKED, CONTEXT, contextIn, conversationRow, report, finding, linesOf } from './reports-for-tests.ts';

const LONG_ID = 'a-conversation-id-of-more-than-thirty-characters';

describe('recent', () => {
  test('marks open conversations, and keeps the columns apart beside a long id', () => {
    const rows = [
      conversationRow(LONG_ID, { outcome: 'open' }),
      conversationRow('b', { outcome: 'failed', startTime: '2025-01-01T00:00:00.000001Z' }),
    ];
    expect(linesOf(recentText(report('recent', rows), CONTEXT, { limit: 5, wide: false }))).toEqual([
      '='.repeat(80),
      'Recent Conversations (last 5)',
      '='.repeat(80),
      `Conversation ID${' '.repeat(34)}Start Time`,
      '-'.repeat(80),
      `${LONG_ID} 2025-10-08T14:30:22.123456  open`,
      `b${' '.repeat(48)}2025-01-01T00:00:00.000001`,
      '='.repeat(80),
    ]);
  });

  test('shows times of the zone of the call', () => {
    const answer = report('recent', [conversationRow('a')]);
    expect(recentText(answer, contextIn('Asia/Kolkata'), { limit: 5, wide: false })).toContain(
      '2025-10-08T20:00:22.123456',
    );
  });

  test('says when there is none', () => {
    expect(linesOf(recentText(report('recent', []), CONTEXT, { limit: 10, wide: false })).slice(5)).toEqual([
      'No conversations found',
      '='.repeat(80),
    ]);
  });
});

describe('slow', () => {
  test('without a row says so and has no action items', () => {
    const text = slowText(report('slow', []), CONTEXT, { ...ASKED, thresholdMs: 8000 });
    expect(linesOf(text).slice(5)).toEqual(['No conversation took more than 8000ms (last 24 hours)', '='.repeat(80)]);
  });

  test('shows the duration by the clock', () => {
    const rows = [conversationRow('a', { durationMs: 5123.4, stepSumMs: 9000 })];
    const lines = linesOf(
      slowText(report('slow', rows, [finding('x', 'Look at it')]), CONTEXT, { ...ASKED, thresholdMs: 5000 }),
    );
    expect(lines[1]).toBe('Slowest Conversations (>5000ms)');
    expect(lines[5]).toBe('a                                        5.123     5   2025-10-08T14:30:22');
    expect(lines.slice(7)).toEqual(['', 'ACTION ITEMS:', '• Look at it']);
  });

  test('by response shows how long users waited beside how long it lasted', () => {
    const rows = [conversationRow('a', { durationMs: 9000, responseMs: 2345.6 })];
    const asked = { ...ASKED, thresholdMs: 2000, by: 'response' as const };
    expect(linesOf(slowText(report('slow', rows), CONTEXT, asked)).slice(1, 6)).toEqual([
      'Slowest Responses (>2000ms)',
      '='.repeat(80),
      'Conversation ID  Response (s)  Duration (s)  Steps  Start Time',
      '-'.repeat(80),
      'a                       2.346         9.000     5   2025-10-08T14:30:22',
    ]);
    expect(slowText(report('slow', []), CONTEXT, asked)).toContain('No response took more than 2000ms');
  });
});

describe('longest', () => {
  test('shows duration and sum of steps side by side', () => {
    const rows = [
      conversationRow('20251008_143022_a1b2c3d4', { durationMs: 65_432.1, stepSumMs: 6864 }),
      conversationRow('b', { outcome: 'open', stepCount: 12 }),
    ];
    expect(linesOf(longestText(report('longest', rows), CONTEXT, ASKED))).toEqual([
      '='.repeat(80),
      'Longest Conversations (last 24 hours)',
      '='.repeat(80),
      'Conversation ID          Duration (s)  Sum (s)  Steps  Start Time',
      '-'.repeat(80),
      '20251008_143022_a1b2c3d4       65.432    6.864     5   2025-10-08T14:30:22',
      'b                               6.000    6.000    12   2025-10-08T14:30:22  open',
      '='.repeat(80),
    ]);
  });
});

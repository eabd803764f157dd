import { expect, test } from '@jest/globals';
import { sessionText, sessionsText } from '../../src/commands/sessions.ts';
import { ASKED, CONTEXT, conversationRow, finding, linesOf, report } from './reports-for-tests.ts';

const SESSION = {
  sessionId: 'call-1',
  startTime: '2025-10-08T14:30:22.123456Z',
  endTime: '2025-10-08T14:31:28.123456Z',
  spokenMs: 4000,
  failures: 1,
  interruptions: 2,
};

test('sessions show what each comes to, and tokens where they are known', () => {
  const rows = [
    { ...SESSION, conversations: 3, inputTokens: 250, outputTokens: 20 },
    { ...SESSION, sessionId: 'call-2', conversations: 1 },
  ];
  expect(linesOf(sessionsText(report('sessions', rows), CONTEXT, ASKED)).slice(1)).toEqual([
    'Sessions (last 24 hours)',
    '='.repeat(80),
    'Session ID         Start Time          Conv. Spoken (s) Failed Interr.   Tokens',
    '-'.repeat(80),
    'call-1             2025-10-08T14:30:22     3      4.000      1       2      270',
    'call-2             2025-10-08T14:30:22     1      4.000      1       2        -',
    '='.repeat(80),
  ]);
  const text = sessionsText(report('sessions', [rows[1]!]), CONTEXT, ASKED);
  expect(text).not.toContain('Tokens');
  expect(sessionsText(report('sessions', []), CONTEXT, ASKED)).toContain('No sessions in this window');
});

test('a session has one axis, on which a long pause takes little, and its errors inline', () => {
  const conversations = [
    { ...conversationRow('a', { durationMs: 2000, responseMs: 700 }), offsetMs: 0, pauseMs: 0 },
    {
      ...conversationRow('b', { durationMs: 2000, outcome: 'failed', failedStep: 'llm' }),
      offsetMs: 62_000,
      pauseMs: 60_000,
      errorMessage: 'slow down',
    },
  ];
  const data = { ...SESSION, conversations, inputTokens: 7 };
  expect(linesOf(sessionText(report('session', data, [finding('x', 'Words')]), CONTEXT)).slice(1)).toEqual([
    'Session: call-1',
    '='.repeat(80),
    'Start Time:    2025-10-08T14:30:22.123456',
    'End Time:      2025-10-08T14:31:28.123456',
    'Conversations: 2',
    'Spoken:        4.000s (4000ms)',
    'Failures:      1',
    'Interruptions: 2',
    'Tokens:        7 in, 0 out',
    '',
    '   At (s)  For (s) Response  Conversation ID',
    '-'.repeat(80),
    `    0.000    2.000   0.700s  a                         |${'█'.repeat(11)}${' '.repeat(12)}|`,
    `   62.000    2.000        -  b                         |${' '.repeat(12)}${'█'.repeat(11)}|`,
    '           failed at llm: slow down',
    '='.repeat(80),
    '',
    'KEY INSIGHTS:',
    '• Words',
  ]);
});

import { MemorySource, parseInstant } from '@convotel/query';
import type { Window } from '@convotel/query';
import { inSequence, recordConversation } from './record-conversation.ts';

/** The day of the example session. */
export const DAY: Window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};

const COMPLETED = [
  { step: 'request', durationMs: 150 },
  { step: 'stt', durationMs: 1234 },
  { step: 'gpt', durationMs: 3567 },
  { step: 'tts', durationMs: 1456 },
  { step: 'response', durationMs: 457 },
];

/** Three good conversations, and a newer one that failed at `gpt` after 500 ms. */
export function exampleConversations(): MemorySource {
  return new MemorySource([
    ...['20251008_143022_a1b2c3d4', '20251008_143035_e5f6g7h8', '20251008_143048_i9j0k1l2'].flatMap((id, index) =>
      recordConversation({
        conversationId: id,
        startTime: ['2025-10-08T14:30:22.123456Z', '2025-10-08T14:30:35.567890Z', '2025-10-08T14:30:48.901234Z'][
          index
        ]!,
        steps: inSequence(COMPLETED),
      }),
    ),
    ...recordConversation({
      conversationId: '20251008_143101_m3n4o5p6',
      startTime: '2025-10-08T14:31:01.234567Z',
      outcome: 'failed',
      steps: [
        { step: 'request', offsetMs: 0, durationMs: 150 },
        {
          step: 'stt',
          offsetMs: 160,
          durationMs: 1200,
          inputText: '<audio_data>',
          outputText: 'Tell me a story about a robot',
          outputChars: 29,
          timingsSeconds: { queue_wait: 0.08 },
          timeToFirstOutputSeconds: 0.25,
        },
        {
          step: 'gpt',
          offsetMs: 1410,
          durationMs: 500,
          outcome: 'failed',
          attempt: 2,
          errorType: 'RateLimitError',
          errorMessage: 'API rate limit exceeded',
        },
      ],
    }),
  ]);
}

import { expect, test } from '@jest/globals';
import { compare, errors, highErrorRate, MemorySource, parseInstant, success, watchOnce } from '@convotel/query';
import { inSequence, recordConversation } from './record-conversation.ts';

const timeZone = 'UTC';
const before = {
  sinceUnixNano: parseInstant('2025-10-07T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-08T00:00:00Z'),
};
const window = { sinceUnixNano: before.untilUnixNano, untilUnixNano: parseInstant('2025-10-09T00:00:00Z') };
const round = { windowMs: 24 * 3_600_000, clock: () => new Date('2025-10-09T00:00:00Z') };
const FAILED = { durationMs: 80, outcome: 'failed', errorType: 'Error', errorMessage: '502 bad gateway' } as const;

/** Twenty conversations whose first attempts all fail; the second attempt of the first `lost` fails too. */
function retrying(lost: number): MemorySource {
  const conversations = Array.from({ length: 20 }, (_none, index) =>
    recordConversation({
      conversationId: `retrying ${index}`,
      startTime: `2025-10-08T10:${10 + index}:00Z`,
      steps: inSequence([
        { step: 'stt', ...FAILED },
        { step: 'stt', attempt: 2, ...(index < lost ? FAILED : { durationMs: 80 }) },
      ]),
    }),
  );
  const calm = recordConversation({
    conversationId: 'the day before',
    startTime: '2025-10-07T10:00:00Z',
    steps: [{ step: 'stt', offsetMs: 0, durationMs: 80 }],
  });
  return new MemorySource([...conversations.flat(), ...calm]);
}

test('a failure that a retry made up for is counted, and no alarm', async () => {
  const source = retrying(0);
  const { data, findings } = await errors(source, { window, timeZone });
  expect(data).toMatchObject([
    { step: 'stt', total: 40, failures: 20, errorRatePct: 50, retried: 20, finalFailures: 0, finalErrorRatePct: 0 },
  ]);
  expect(findings.map(({ rule, severity, text }) => [rule, severity, text])).toEqual([
    ['recovered-by-retry', 'good', 'Retries made up for all 20 failures'],
  ]);
  expect(await watchOnce(source, [highErrorRate({ abovePct: 0 })], round)).toEqual([]);
  const succeeded = await success(source, { window, timeZone });
  expect(succeeded.data).toMatchObject([{ successRatePct: 50, retried: 20, finalSuccessRatePct: 100 }]);
  expect(succeeded.findings.map(({ text }) => text)).toEqual(['All 20 step calls completed after retries']);
  const compared = await compare(source, { before, after: window, timeZone });
  expect(compared.data[0]!.after).toMatchObject({ errorRatePct: 50, finalErrorRatePct: 0 });
  expect(compared.findings.map(({ rule }) => rule)).not.toContain('more-errors');
});

test('what is left after retries is judged, without the advice to retry', async () => {
  const source = retrying(3);
  const { data, findings } = await errors(source, { window, timeZone });
  expect(data).toMatchObject([{ failures: 23, retried: 20, finalFailures: 3, finalErrorRatePct: 15 }]);
  expect(findings.find(({ rule }) => rule === 'high-error-rate')?.text).toBe(
    'STT has 15% error rate after retries - unacceptably high!',
  );
  expect(findings.map(({ text }) => text).join()).not.toMatch(/add retry/i);
  expect(await watchOnce(source, [highErrorRate({ abovePct: 14.9 })], round)).toMatchObject([
    { text: 'HIGH ERROR RATE: stt at 15.0%', evidence: { failures: 23, retried: 20, finalFailures: 3 } },
  ]);
  expect(await watchOnce(source, [highErrorRate({ abovePct: 15 })], round)).toEqual([]);
});

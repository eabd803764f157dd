import { expect, test } from '@jest/globals';
import { MemorySource, parseInstant, QueryError, satisfaction } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { recordConversation } from './record-conversation.ts';
import type { RecordedConversation } from './record-conversation.ts';

const window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};
const asked = { window, timeZone: 'UTC' };

/** A conversation at `startTime` of two steps with a wait between them: `durationMs` by the clock, 20 ms of steps. */
function conversation(
  conversationId: string,
  durationMs: number,
  outcome: RecordedConversation['outcome'] = 'completed',
  startTime = '2025-10-08T10:00:00Z',
): SpanRecord[] {
  const steps = [
    { step: 'stt', offsetMs: 0, durationMs: 10 },
    { step: 'gpt', offsetMs: durationMs - 10, durationMs: 10 },
  ];
  return recordConversation({ conversationId, startTime, outcome, steps });
}

const source = new MemorySource([
  ...conversation('fast', 6999.999),
  ...conversation('just missed', 7000),
  ...conversation('slow', 12_000),
  ...conversation('failed fast', 100, 'failed'),
  ...conversation('interrupted fast', 100, 'interrupted'),
  ...conversation('open', 100, 'open'),
  ...conversation('the day before', 100, 'completed', '2025-10-07T23:59:59.95Z'),
]);

test('counts what completed below the target by the clock, of all that have ended', async () => {
  const { command, data, coverage } = await satisfaction(source, asked);
  expect(command).toBe('satisfaction');
  expect(data).toEqual({
    targetMs: 7000,
    conversations: 5,
    satisfied: 1,
    satisfiedPct: 20,
    interval: [3.62, 62.45],
    open: 1,
  });
  // The one of the day before has a step in the window, so it is covered and not counted.
  expect(coverage.conversations).toBe(7);
});

test('the target is an option', async () => {
  expect((await satisfaction(source, { ...asked, targetMs: 7000.001 })).data.satisfied).toBe(2);
  expect((await satisfaction(source, { ...asked, targetMs: 0 })).data.satisfied).toBe(0);
  await expect(satisfaction(source, { ...asked, targetMs: -1 })).rejects.toThrow(QueryError);
});

test('steps side by side count once', async () => {
  const steps = [
    { step: 'tool a', offsetMs: 0, durationMs: 6000 },
    { step: 'tool b', offsetMs: 0, durationMs: 6000 },
  ];
  const parallel = new MemorySource(
    recordConversation({ conversationId: 'parallel', startTime: '2025-10-08T10:00:00Z', steps }),
  );
  expect((await satisfaction(parallel, asked)).data.satisfied).toBe(1);
});

test('without conversations there is no share', async () => {
  const { data, findings } = await satisfaction(new MemorySource([]), asked);
  expect(data).toEqual({ targetMs: 7000, conversations: 0, satisfied: 0, open: 0 });
  expect(findings).toEqual([]);
});

test('says the rule with the number, and a verdict only where the interval allows one', async () => {
  const textsWith = async (fast: number, slow: number): Promise<string[]> => {
    const many = (count: number, name: string, durationMs: number): SpanRecord[] =>
      Array.from({ length: count }, (_none, index) => conversation(`${name} ${index}`, durationMs)).flat();
    const of = new MemorySource([...many(fast, 'fast', 5000), ...many(slow, 'slow', 9000)]);
    return (await satisfaction(of, asked)).findings.map(({ text }) => text);
  };
  expect(await textsWith(33, 12)).toEqual([
    '33 of 45 conversations completed in less than 7s: 73.33% (95% interval: 59% to 84%)',
  ]);
  expect(await textsWith(1, 0)).toEqual([
    '1 of 1 conversation completed in less than 7s: 100% (95% interval: 21% to 100%)',
  ]);
  expect((await textsWith(99, 1))[1]).toBe('At least 90% meet the target');
  expect((await textsWith(20, 80))[1]).toBe('Fewer than 75% meet the target');
});

test('by response, judges how long users waited for an answer', async () => {
  const answered = (
    id: string,
    seconds: number | undefined,
    outcome: RecordedConversation['outcome'] = 'completed',
  ): SpanRecord[] =>
    conversation(id, 9000, outcome).map((span) =>
      span.role === 'root' && seconds !== undefined ? { ...span, responseLatencySeconds: seconds } : span,
    );
  const answering = new MemorySource([
    ...answered('at once', 1.9),
    ...answered('just missed', 2),
    ...answered('answered and failed', 1, 'failed'),
    ...answered('failed before an answer', undefined, 'failed'),
    ...answered('not measured', undefined),
    ...answered('open', undefined, 'open'),
  ]);
  const { data, findings } = await satisfaction(answering, { ...asked, targetMs: 2000, by: 'response' });
  expect(data).toEqual({
    by: 'response',
    targetMs: 2000,
    conversations: 4,
    satisfied: 1,
    satisfiedPct: 25,
    interval: [4.56, 69.94],
    open: 1,
    withoutResponse: 1,
  });
  expect(findings[0]?.text).toBe(
    '1 of 4 conversations completed and answered in less than 2s: 25% (95% interval: 5% to 70%)',
  );
});

test('counts more conversations than one list may hold', async () => {
  const many = Array.from({ length: 10_400 }, (_none, index) =>
    conversation(
      `many ${index}`,
      index % 4 === 0 ? 8000 : 6000,
      'completed',
      `2025-10-08T10:${String(index % 60).padStart(2, '0')}:00Z`,
    ),
  ).flat();
  const { data } = await satisfaction(new MemorySource(many), asked);
  expect(data).toMatchObject({ conversations: 10_400, satisfied: 7800, satisfiedPct: 75 });
});

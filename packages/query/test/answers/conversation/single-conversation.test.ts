import { expect, test } from '@jest/globals';
import { MemorySource, QueryError, summary, timeline, trace } from '@convotel/query';
import { exampleConversations } from '../example-conversations.ts';
import { recordConversation } from '../record-conversation.ts';

const timeZone = 'Europe/Berlin';

test('a summary has every step with its share of the total', async () => {
  const answer = await summary(exampleConversations(), { conversationId: '20251008_143022_a1b2c3d4', timeZone });
  expect(answer.command).toBe('summary');
  expect(answer.window).toEqual({ timeZone });
  expect(answer.source).toEqual({ kind: 'memory', location: 'memory' });
  expect(answer.coverage).toEqual({ conversations: 1, spans: 6, complete: true, warnings: [] });
  expect(answer.data).toMatchObject({
    conversationId: '20251008_143022_a1b2c3d4',
    startTime: '2025-10-08T14:30:22.123456Z',
    endTime: '2025-10-08T14:30:28.987456Z',
    totalMs: 6864,
    wallMs: 6864,
    unattributedMs: 0,
    stepCount: 5,
    outcome: 'completed',
  });
  expect(answer.data.steps.map(({ step, durationMs, sharePct }) => [step, durationMs, sharePct])).toEqual([
    ['request', 150, 2.19],
    ['stt', 1234, 17.98],
    ['gpt', 3567, 51.97],
    ['tts', 1456, 21.21],
    ['response', 457, 6.66],
  ]);
});

test('a step says what is known of it, and nothing else', async () => {
  const { data } = await trace(exampleConversations(), { conversationId: '20251008_143101_m3n4o5p6', timeZone });
  expect(Object.keys(data.steps[0]!).sort()).toEqual(
    ['depth', 'durationMs', 'endTime', 'outcome', 'parentSpanId', 'sharePct', 'spanId', 'startTime', 'step'].sort(),
  );
  expect(data.steps[1]).toMatchObject({
    input: '<audio_data>',
    output: 'Tell me a story about a robot',
    outputChars: 29,
    timings: { queue_wait: 80 },
    timeToFirstOutputMs: 250,
  });
  expect(data.steps[2]).toMatchObject({
    startTime: '2025-10-08T14:31:02.644567Z',
    endTime: '2025-10-08T14:31:03.144567Z',
    outcome: 'failed',
    attempt: 2,
    errorType: 'RateLimitError',
    errorMessage: 'API rate limit exceeded',
  });
});

test('a timeline has the offset of every step', async () => {
  const { data } = await timeline(exampleConversations(), { conversationId: '20251008_143101_m3n4o5p6', timeZone });
  expect(data.steps.map(({ step, offsetMs }) => [step, offsetMs])).toEqual([
    ['request', 0],
    ['stt', 160],
    ['gpt', 1410],
  ]);
});

test('parallel and nested steps: the total adds outermost steps up, unattributed is what no step covers', async () => {
  const source = new MemorySource(
    recordConversation({
      conversationId: 'parallel',
      startTime: '2025-10-08T10:00:00Z',
      steps: [
        { step: 'a', offsetMs: 0, durationMs: 1000 },
        { step: 'b', offsetMs: 500, durationMs: 1000 },
        { step: 'inside b', offsetMs: 600, durationMs: 300, depth: 1 },
        { step: 'c', offsetMs: 1700, durationMs: 300 },
      ],
    }),
  );
  const { data } = await summary(source, { conversationId: 'parallel', timeZone });
  expect(data).toMatchObject({ totalMs: 2300, wallMs: 2000, unattributedMs: 200, stepCount: 4 });
  expect(data.steps.map(({ depth, sharePct }) => [depth, sharePct])).toEqual([
    [0, 43.48],
    [0, 43.48],
    [1, 13.04],
    [0, 13.04],
  ]);
});

test('a step has no share of a conversation that took no time', async () => {
  const steps = [{ step: 'cache', offsetMs: 0, durationMs: 0 }];
  const source = new MemorySource(
    recordConversation({ conversationId: 'instant', startTime: '2025-10-08T10:00:00Z', steps }),
  );
  for (const command of [summary, trace, timeline]) {
    const { data, findings } = await command(source, { conversationId: 'instant', timeZone });
    expect(data.steps).toHaveLength(1);
    expect(data.steps[0]).not.toHaveProperty('sharePct');
    expect(findings.map(({ text }) => text).join()).not.toMatch(/NaN|undefined/);
  }
});

test('a conversation without a root is open, and one without steps has the times of its root', async () => {
  const source = new MemorySource([
    ...recordConversation({
      conversationId: 'rootless',
      startTime: '2025-10-08T10:00:00Z',
      outcome: 'open',
      steps: [{ step: 'stt', offsetMs: 0, durationMs: 10 }],
    }),
    ...recordConversation({ conversationId: 'stepless', startTime: '2025-10-08T11:00:00Z', steps: [] }),
  ]);
  expect((await summary(source, { conversationId: 'rootless', timeZone })).data.outcome).toBe('open');
  expect((await summary(source, { conversationId: 'stepless', timeZone })).data).toMatchObject({
    startTime: '2025-10-08T11:00:00.000000Z',
    totalMs: 0,
    unattributedMs: 0,
    steps: [],
  });
});

test('another trace with the same conversation id is named in a warning', async () => {
  const twice = { conversationId: 'twice', startTime: '2025-10-08T10:00:00Z', steps: [] };
  const other = 'ab'.repeat(16);
  const source = new MemorySource([
    ...recordConversation(twice),
    ...recordConversation({ ...twice, startTime: '2025-10-08T12:00:00Z', traceId: other }),
  ]);
  for (const command of [summary, trace, timeline]) {
    const { data, coverage } = await command(source, { conversationId: 'twice', timeZone });
    expect(data.startTime).toBe('2025-10-08T10:00:00.000000Z');
    expect(coverage.warnings).toEqual([{ code: 'other-traces', text: expect.stringContaining(other) }]);
  }
});

test.each([summary, trace, timeline])(
  'an id that nobody knows is an error that says what to do: %p',
  async (command) => {
    const asked = command(exampleConversations(), { conversationId: 'nobody', timeZone });
    await expect(asked).rejects.toThrow(QueryError);
    await expect(asked).rejects.toMatchObject({
      code: 'NO_SUCH_CONVERSATION',
      message: expect.stringContaining('"recent" lists'),
    });
  },
);

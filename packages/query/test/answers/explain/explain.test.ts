import { describe, expect, test } from '@jest/globals';
import { explain, MemorySource, QueryError } from '@convotel/query';
import type { Explanation, SpanRecord } from '@convotel/query';
import { explainRules } from '../../../src/answers/explain/explain.ts';
import { findAll } from '../../../src/findings/finding.ts';
import { summaryFacts } from '../facts-for-tests.ts';
import { recordConversation } from '../record-conversation.ts';

/** 100 conversations before the one that is explained, whose gpt took 1,001 to 1,100 ms. */
const BEFORE = Array.from({ length: 100 }, (_none, index) =>
  recordConversation({
    conversationId: `before ${index}`,
    startTime: `2025-10-07T10:00:00.${String(index).padStart(3, '0')}Z`,
    steps: [
      { step: 'stt', offsetMs: 0, durationMs: 500 },
      { step: 'gpt', offsetMs: 500, durationMs: 1001 + index },
    ],
  }),
).flat();

/** stt, a gap, gpt that failed and was tried again, and playback that begins before tts is over. */
const SLOW: SpanRecord[] = recordConversation({
  conversationId: 'slow',
  startTime: '2025-10-08T10:00:00Z',
  steps: [
    { step: 'stt', offsetMs: 0, durationMs: 500 },
    { step: 'gpt', offsetMs: 1500, durationMs: 2000, outcome: 'failed', errorMessage: 'HTTP 503' },
    { step: 'gpt', offsetMs: 3500, durationMs: 4000, attempt: 2 },
    { step: 'log', offsetMs: 3501, durationMs: 1000 },
    { step: 'retrieve', offsetMs: 3600, durationMs: 200, depth: 1 },
    { step: 'tts', offsetMs: 7500, durationMs: 600 },
    { step: 'play', offsetMs: 7800, durationMs: 1200 },
  ],
});

const one = { conversationId: 'slow', timeZone: 'UTC' };

describe('explain', () => {
  test('follows the conversation along its critical path, and puts each step among its other calls', async () => {
    const { command, data, coverage } = await explain(new MemorySource([...BEFORE, ...SLOW]), one);
    expect(command).toBe('explain');
    expect(data).toMatchObject({ conversationId: 'slow', outcome: 'completed', durationMs: 9000, gapMs: 1000 });
    expect(data.path.map(({ step, offsetMs, durationMs }) => [step, offsetMs, durationMs])).toEqual([
      ['stt', 0, 500],
      [undefined, 500, 1000],
      ['gpt', 1500, 2000],
      ['gpt', 3500, 4000],
      ['tts', 7500, 300],
      ['play', 7800, 1200],
    ]);
    expect(data.path.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(data.durationMs);
    const places = data.steps.map(({ step, onPathMs, percentile, calls }) => [step, onPathMs, percentile, calls]);
    expect(places).toEqual([
      ['stt', 500, 0, 101],
      ['gpt', 2000, undefined, undefined],
      ['gpt', 4000, 99, 101],
      ['log', 0, 0, 1],
      ['tts', 300, 0, 1],
      ['play', 1200, 0, 1],
    ]);
    // The median of 1,001 to 1,100 and 4,000 ms.
    expect(data.steps[2]).toMatchObject({ usualMs: 1051, attempt: 2, sharePct: 44.44 });
    expect(data.retries).toEqual([{ step: 'gpt', attempts: 2, failedMs: 2000 }]);
    // log ran for 1,000 of the 4,000 ms, so only 3,000 would be gone; as usual 2,949 are saved.
    expect(data.worst).toEqual({
      step: 'gpt',
      spanId: data.steps[2]!.spanId,
      onPathMs: 4000,
      withoutMs: 6000,
      asUsualMs: 6051,
    });
    expect(coverage).toEqual({ conversations: 1, spans: 8, complete: true, warnings: [] });
  });

  test('says why in sentences', async () => {
    const { findings } = await explain(new MemorySource([...BEFORE, ...SLOW]), one);
    expect(findings.map(({ text }) => text)).toEqual([
      'It took 9.0s, 2.0s over the target of 7s',
      'The time went to GPT (6.0s, 67%) and play (1.2s, 13%)',
      'GPT took longer than 99% of its 101 calls in the seven days before (usually 1.1s)',
      'GPT was tried 2 times; the attempts that failed took 2.0s',
      'During 1.0s (11%) no step ran, all of it between STT and GPT',
      'Without GPT it would have taken 6.0s, and 6.1s had it taken its usual time',
    ]);
  });

  test('calls nothing usual of which there are fewer than 20 calls', async () => {
    const twoSteps = (conversationId: string, durationMs: number): SpanRecord[] =>
      recordConversation({
        conversationId,
        startTime: '2025-10-08T10:00:00Z',
        steps: [
          { step: 'stt', offsetMs: 0, durationMs: 100 },
          { step: 'gpt', offsetMs: 100, durationMs },
        ],
      });
    const lastSentence = async (others: number): Promise<string> => {
      const before = Array.from({ length: others }, (_none, index) => twoSteps(`other ${index}`, 500)).flat();
      const { findings } = await explain(new MemorySource([...before, ...twoSteps('slow', 2000)]), one);
      return findings.at(-1)!.text;
    };
    expect(await lastSentence(18)).toBe('Without GPT it would have taken 100ms');
    expect(await lastSentence(19)).toBe('Without GPT it would have taken 100ms, and 600ms had it taken its usual time');
  });

  test('compares with seven days, its own calls among them, and with no later ones', async () => {
    const at = (conversationId: string, startTime: string): SpanRecord[] =>
      recordConversation({ conversationId, startTime, steps: [{ step: 'gpt', offsetMs: 0, durationMs: 1000 }] });
    const source = new MemorySource([
      ...at('too old', '2025-10-01T10:00:00.5Z'),
      ...at('old', '2025-10-01T10:00:01.5Z'),
      ...at('explained', '2025-10-08T10:00:00Z'),
      ...at('later', '2025-10-08T10:00:02Z'),
    ]);
    const { data } = await explain(source, { conversationId: 'explained', timeZone: 'UTC' });
    expect(data.steps.map(({ calls, percentile }) => [calls, percentile])).toEqual([[2, 0]]);
  });

  test('has no place for what averages do not count, and none without any step', async () => {
    const source = new MemorySource([
      ...recordConversation({
        conversationId: 'failed',
        startTime: '2025-10-08T10:00:00Z',
        outcome: 'failed',
        steps: [{ step: 'gpt', offsetMs: 0, durationMs: 1000, outcome: 'failed' }],
      }),
      // Where there is no step, the root's own times count.
      ...recordConversation({ conversationId: 'stepless', startTime: '2025-10-08T10:00:00Z', steps: [] }).map(
        (root) => ({ ...root, durationNano: 5_000_000_000n }),
      ),
      ...recordConversation({
        conversationId: 'begun',
        startTime: '2025-10-08T10:00:00Z',
        outcome: 'open',
        steps: [{ step: 'retrieve', offsetMs: 0, durationMs: 300, depth: 1 }],
      }),
    ]);
    const failed = await explain(source, { conversationId: 'failed', timeZone: 'UTC' });
    expect(failed.data.steps[0]).not.toHaveProperty('percentile');
    const stepless = await explain(source, { conversationId: 'stepless', timeZone: 'UTC' });
    expect(stepless.data).toMatchObject({ durationMs: 5000, path: [], gapMs: 0, steps: [], retries: [] });
    expect(stepless.data).not.toHaveProperty('worst');
    expect(stepless.findings.map(({ text }) => text)).toEqual(['It has no step, so there is nothing to explain']);
    const begun = await explain(source, { conversationId: 'begun', timeZone: 'UTC' });
    expect(begun.data).toMatchObject({ durationMs: 300, path: [], steps: [] });
    expect(begun.findings.map(({ text }) => text)).toEqual([
      'It has no outermost step yet, so there is nothing to explain',
    ]);
    await expect(explain(source, { conversationId: 'nobody', timeZone: 'UTC' })).rejects.toThrow(QueryError);
  });
});

test('a whole session that was recorded as one conversation is said, and not held against the target', async () => {
  const steps = [0, 1, 2, 3].flatMap((turn) => [
    { step: 'stt', offsetMs: turn * 20_000, durationMs: 600 },
    { step: 'gpt', offsetMs: turn * 20_000 + 600, durationMs: 1500 },
  ]);
  const source = new MemorySource(
    recordConversation({ conversationId: 'call', startTime: '2025-10-08T10:00:00Z', steps }),
  );
  const { findings } = await explain(source, { conversationId: 'call', timeZone: 'UTC' });
  expect(findings.slice(0, 2).map(({ text }) => text)).toEqual([
    'It took 62.1s',
    expect.stringMatching(/^STT ran 4 times: this looks like a whole session recorded as one conversation/),
  ]);
});

test('whatever the conversation, there are eight sentences at most, each with its numbers', () => {
  const step = (index: number): Explanation['steps'][number] => ({
    step: `tool ${index}`,
    spanId: String(index),
    outcome: 'completed',
    attempt: 2,
    durationMs: 9000,
    onPathMs: 9000,
    sharePct: 9,
    percentile: 99,
    calls: 500,
    usualMs: 100,
  });
  const steps = Array.from({ length: 40 }, (_none, index) => step(index));
  const data: Explanation = {
    conversationId: 'c',
    traceId: 't',
    startTime: '',
    endTime: '',
    outcome: 'failed',
    durationMs: 50_000,
    path: [{ offsetMs: 0, durationMs: 20_000 }],
    gapMs: 20_000,
    steps,
    retries: steps.map(({ step: name }) => ({ step: name, attempts: 2, failedMs: 5 })),
    worst: { step: 'tool 1', spanId: '1', onPathMs: 9000, withoutMs: 41_000, asUsualMs: 41_100 },
  };
  // The worst that there can be: a whole session in one conversation, too.
  const { detail } = summaryFacts([...Array(2)].map(() => ({ step: 'stt', durationMs: 100 })));
  const findings = findAll(explainRules, { data, targetMs: 7000, detail });
  expect(findings.length).toBeGreaterThan(5);
  expect(findings.length).toBeLessThanOrEqual(8);
  for (const { text, evidence } of findings) {
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    expect(text.length).toBeLessThan(200);
    expect(Object.keys(evidence).length).toBeGreaterThan(0);
  }
});

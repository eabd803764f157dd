import { expect, test } from '@jest/globals';
import { averages, compare, MemorySource, parseInstant, percentiles, slow } from '@convotel/query';
import { slowResponse, watchOnce } from '@convotel/query';
import { inSequence, recordConversation } from './record-conversation.ts';

const timeZone = 'UTC';
const WINDOW = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};
const asked = { window: WINDOW, timeZone };

/** A conversation whose model streams, from `firstMs` on, and whose user has an answer after `responseMs`. */
function answering(
  id: string,
  responseMs: number | undefined,
  { minute = 0, firstMs, outcome }: { minute?: number; firstMs?: number; outcome?: 'open' } = {},
): ReturnType<typeof recordConversation> {
  return recordConversation({
    conversationId: id,
    startTime: `2025-10-08T10:${String(minute).padStart(2, '0')}:00Z`,
    ...(outcome !== undefined && { outcome }),
    steps: inSequence([
      { step: 'gpt', durationMs: 3000, ...(firstMs !== undefined && { timeToFirstOutputSeconds: firstMs / 1000 }) },
      {
        step: 'tts',
        durationMs: 1000,
        ...(responseMs !== undefined && { responseLatencySeconds: responseMs / 1000 }),
      },
    ]),
  });
}

const source = new MemorySource([
  ...answering('quick', 1000, { firstMs: 200 }),
  ...answering('late', 3000, { minute: 1, firstMs: 600 }),
  ...answering('still open', 5000, { minute: 2, outcome: 'open' }),
  ...answering('silent', undefined, { minute: 3 }),
]);

test('averages end with the response latency of conversations, and say how long first outputs took', async () => {
  const { data, findings } = await averages(source, asked);
  expect(data.map(({ step, count }) => [step, count])).toEqual([
    ['gpt', 4],
    ['tts', 4],
    ['response latency', 3],
  ]);
  expect(data[2]).toMatchObject({ averageMs: 3000, minMs: 1000, maxMs: 5000, timings: {} });
  expect(data[0]!.firstOutput).toEqual({
    count: 2,
    averageMs: expect.closeTo(400, 6),
    p50Ms: expect.closeTo(400, 6),
    p95Ms: expect.closeTo(580, 6),
  });
  expect(data[1]).not.toHaveProperty('firstOutput');
  // It is no step, so no finding is about it.
  expect(findings.filter(({ evidence }) => evidence['step'] === 'response latency')).toEqual([]);
});

test('without a response latency there is no row, neither in averages nor in compare', async () => {
  const silent = new MemorySource(answering('silent', undefined));
  expect((await averages(silent, asked)).data.map(({ step }) => step)).toEqual(['gpt', 'tts']);
  const { data } = await compare(silent, { before: WINDOW, after: WINDOW, timeZone });
  expect(data.map(({ step }) => step)).toEqual(['gpt', 'tts', 'conversation']);
});

test('percentiles of the response latency, and of first outputs', async () => {
  const response = await percentiles(source, { ...asked, step: 'response latency' });
  expect(response.data).toMatchObject({ step: 'response latency', count: 3, percentiles: { p50: 3000, p25: 2000 } });
  expect(response.data).not.toHaveProperty('of');
  expect(response.coverage.warnings).toEqual([]);

  const first = await percentiles(source, { ...asked, step: 'gpt', of: 'first-output' });
  expect(first.data).toMatchObject({ step: 'gpt', of: 'first-output', count: 2 });
  expect(first.data.percentiles.p50).toBeCloseTo(400, 6);
  const none = await percentiles(source, { ...asked, step: 'tts', of: 'first-output' });
  expect(none.data).toMatchObject({ count: 0, percentiles: {} });
});

test('a step that has that name itself is meant by it', async () => {
  const named = recordConversation({
    conversationId: 'named',
    startTime: '2025-10-08T11:00:00Z',
    steps: [{ step: 'response latency', offsetMs: 0, durationMs: 77, responseLatencySeconds: 9 }],
  });
  const { data } = await percentiles(new MemorySource(named), { ...asked, step: 'response latency' });
  expect(data.percentiles.p50).toBe(77);
});

test('slow by response lists the longest waits, open conversations too', async () => {
  const { data, findings } = await slow(source, { ...asked, by: 'response', thresholdMs: 1000 });
  expect(data.map(({ conversationId, responseMs }) => [conversationId, responseMs])).toEqual([
    ['still open', 5000],
    ['late', 3000],
  ]);
  expect(findings.map(({ rule }) => rule)).toEqual(['slow-responses']);
});

test('compare has the response latency as a row before the conversation, with a verdict of its own', async () => {
  const side = (date: string, baseMs: number): ReturnType<typeof recordConversation> =>
    Array.from({ length: 12 }, (_none, index) => index).flatMap((index) =>
      recordConversation({
        conversationId: `${date} ${index}`,
        startTime: `${date}T10:00:${10 + index}Z`,
        steps: [{ step: 'tts', offsetMs: 0, durationMs: 500, responseLatencySeconds: (baseMs + 10 * index) / 1000 }],
      }),
    );
  const after = { sinceUnixNano: WINDOW.untilUnixNano, untilUnixNano: parseInstant('2025-10-10T00:00:00Z') };
  const both = new MemorySource([...side('2025-10-08', 3000), ...side('2025-10-09', 1000)]);
  const { data } = await compare(both, { before: WINDOW, after, timeZone });
  expect(data.map(({ step, verdict }) => [step, verdict])).toEqual([
    ['tts', 'no clear change'],
    ['response latency', 'faster'],
    ['conversation', 'no clear change'],
  ]);
  expect(data[1]!.before).toEqual({ count: 12, averageMs: 3055, p50Ms: 3055, p95Ms: expect.closeTo(3104.5, 6) });
  expect(data[1]!.deltaMs).toBeCloseTo(-2000, 6);
});

test('watch alerts when the response latency is above its limit', async () => {
  const round = { windowMs: 24 * 3_600_000, clock: () => new Date('2025-10-09T00:00:00Z') };
  expect(await watchOnce(source, [slowResponse({ aboveMs: 4800 })], round)).toEqual([]);
  expect(await watchOnce(source, [slowResponse({ aboveMs: 4000, percentile: 50 })], round)).toEqual([]);
  expect(await watchOnce(source, [slowResponse({ aboveMs: 4000 })], round)).toEqual([
    {
      rule: 'slow-response',
      severity: 'warning',
      text: 'SLOW RESPONSE: P95 at 4.800s (>4s)',
      evidence: { percentile: 95, valueMs: 4800, aboveMs: 4000, count: 3 },
      time: '2025-10-09T00:00:00.000000Z',
    },
  ]);
});

import { expect, test } from '@jest/globals';
import { averages, errors, MemorySource, percentiles, success } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { DAY } from './example-conversations.ts';
import { recordConversation } from './record-conversation.ts';

const asked = { window: DAY, timeZone: 'UTC' };

/** One conversation with a call of `gpt` by `model`, answered after twice as long. */
function call(model: string | undefined, durationMs: number, facts: Partial<SpanRecord> = {}): SpanRecord[] {
  calls += 1;
  return recordConversation({
    conversationId: `call ${calls}`,
    startTime: '2025-10-08T10:00:00Z',
    steps: [
      {
        step: 'gpt',
        offsetMs: 0,
        durationMs,
        responseLatencySeconds: durationMs / 500,
        ...(model !== undefined && { model }),
        ...facts,
      },
    ],
  });
}
let calls = 0;

/** Twelve models, the first with the most calls; the last two are beyond the ten largest. */
const MODELS = Array.from({ length: 12 }, (_, index) => `model-${String(index).padStart(2, '0')}`);
const TWELVE_MODELS = new MemorySource([
  ...MODELS.slice(0, 10).flatMap((model, index) =>
    Array.from({ length: 14 - index }, (_, at) => call(model, 1000 + at)).flat(),
  ),
  ...[100, 200, 300].flatMap((durationMs) => call(MODELS[10], durationMs)),
  ...[900, 1000].flatMap((durationMs) => call(MODELS[11], durationMs)),
  ...call(undefined, 7),
]);
const GROUPS = [...MODELS.slice(0, 10), '(other)', '(none)'];

test('averages by model have a block for each of the ten largest, then all others together', async () => {
  const { by, data, coverage } = await averages(TWELVE_MODELS, { ...asked, by: 'model' });
  expect(by).toBe('model');
  expect(data.map(({ group, step }) => [group, step])).toEqual(
    GROUPS.flatMap((group) => ['gpt', 'response latency'].map((step) => [group, step])),
  );
  expect(data.find(({ group }) => group === '(other)')).toMatchObject({ count: 5, averageMs: 500, minMs: 100 });
  expect(data.at(-1)).toMatchObject({ group: '(none)', step: 'response latency', count: 1, averageMs: 14 });
  expect(coverage.warnings).toEqual([]);
});

test('percentiles of the others are those of all their values, not of groups', async () => {
  const { data } = await percentiles(TWELVE_MODELS, { ...asked, step: 'gpt', by: 'model' });
  expect(data.count).toBe(14 + 13 + 12 + 11 + 10 + 9 + 8 + 7 + 6 + 5 + 6);
  expect(data.groups!.map(({ group }) => group)).toEqual(GROUPS);
  const others = data.groups!.find(({ group }) => group === '(other)')!;
  expect(others).toMatchObject({ count: 5, percentiles: { p25: 200, p50: 300, p75: 900 } });
  // Of five values, the smallest lies below the median in all but 1/32 of samples; both ends would leave out twice as much.
  expect(others.intervals!.p50).toEqual([100, null]);
  const alone = await percentiles(TWELVE_MODELS, { ...asked, step: 'gpt', filters: {} });
  expect({ ...data, groups: undefined }).toEqual({ ...alone.data, groups: undefined });
});

test('percentiles of a group are those of the same calls alone, intervals included', async () => {
  const only = new MemorySource(Array.from({ length: 14 }, (_, at) => call(MODELS[0], 1000 + at)).flat());
  const { data: alone } = await percentiles(only, { ...asked, step: 'gpt' });
  const { data } = await percentiles(TWELVE_MODELS, { ...asked, step: 'gpt', by: 'gen_ai.request.model' });
  const { percentiles: expected, intervals } = alone;
  expect(data.groups![0]).toMatchObject({ count: 14, percentiles: expected, intervals });
});

test('the response latency has percentiles by group too', async () => {
  const { data } = await percentiles(TWELVE_MODELS, { ...asked, step: 'response latency', by: 'model' });
  expect(data.groups!.find(({ group }) => group === '(other)')).toMatchObject({ count: 5, percentiles: { p50: 600 } });
});

test('errors and success by version say in which group a step fails', async () => {
  const version = (stringValue: string): Partial<SpanRecord> => ({
    rest: { resourceAttributes: [{ key: 'service.version', value: { stringValue } }] },
  });
  const source = new MemorySource([
    ...call(undefined, 100, version('1.4')),
    ...call(undefined, 100, version('1.4')),
    ...call(undefined, 100, { ...version('1.5'), outcome: 'failed' }),
  ]);
  const failed = await errors(source, { ...asked, by: 'version' });
  expect(failed.data).toMatchObject([
    { group: '1.4', step: 'gpt', total: 2, failures: 0 },
    { group: '1.5', step: 'gpt', total: 1, failures: 1, errorRatePct: 100 },
  ]);
  expect(failed.findings).toMatchObject([
    { rule: 'high-error-rate', text: '1.5: GPT has 100% error rate - unacceptably high!', evidence: { group: '1.5' } },
  ]);
  expect((await success(source, { ...asked, by: 'service.version' })).data).toMatchObject([
    { group: '1.4', completed: 2, successRatePct: 100 },
    { group: '1.5', completed: 0, successRatePct: 0 },
  ]);
});

test('an attribute that no step has is one group, and a warning says so', async () => {
  const { data, coverage } = await averages(new MemorySource(call('large', 100)), { ...asked, by: 'tenant' });
  expect(data.map(({ group, step }) => [group, step])).toEqual([
    ['(none)', 'gpt'],
    ['(none)', 'response latency'],
  ]);
  expect(coverage.warnings).toMatchObject([{ code: 'attribute-never-seen' }]);
  expect(coverage.warnings[0]!.text).toContain('no step of the window has the attribute tenant');
});

test.each(['', 'x'.repeat(257), 'conversation.recovered', 'conversation.pii.input_text', 'conversation.step.timing.a'])(
  'nothing is grouped by %p',
  async (by) => {
    const answer = averages(new MemorySource([]), { ...asked, by });
    await expect(answer).rejects.toMatchObject({ code: 'OPTION_OUT_OF_RANGE' });
    await expect(answer).rejects.toThrow('by must be one of model, provider, workflow, service, version, session');
  },
);

import { describe, expect, test } from '@jest/globals';
import { compare, MemorySource, parseInstant } from '@convotel/query';
import type { ComparisonReport, SpanRecord, Window } from '@convotel/query';
import { recordConversation } from '../record-conversation.ts';

function windowOf(since: string, until: string): Window {
  return { sinceUnixNano: parseInstant(since), untilUnixNano: parseInstant(until) };
}

const FIRST = windowOf('2025-10-08T00:00:00Z', '2025-10-09T00:00:00Z');
const SECOND = windowOf('2025-10-09T00:00:00Z', '2025-10-10T00:00:00Z');
const BOTH = { before: FIRST, after: SECOND, timeZone: 'UTC' };

function versioned(stringValue: string): Partial<SpanRecord> {
  return { rest: { resourceAttributes: [{ key: 'service.version', value: { stringValue } }] } };
}

let ids = 0;

/** A conversation of one call of `gpt`, that starts at `start`. */
function call(start: string, durationMs: number, facts: Partial<SpanRecord> = {}): SpanRecord[] {
  ids += 1;
  return recordConversation({
    conversationId: `call ${ids}`,
    startTime: start,
    steps: [{ step: 'gpt', offsetMs: 0, durationMs, ...facts }],
  });
}

function many(count: number, make: (index: number) => SpanRecord[]): SpanRecord[] {
  return Array.from({ length: count }, (_, index) => make(index)).flat();
}

function codesOf({ coverage }: ComparisonReport): string[] {
  return coverage.warnings.map(({ code }) => code);
}

describe('two values of an attribute', () => {
  const asked = { window: FIRST, splitBy: 'version', before: '1.4', after: '1.5', timeZone: 'UTC' };
  const source = new MemorySource([
    ...many(30, (index) => call('2025-10-08T10:00:00Z', 1000 + index, versioned('1.4'))),
    ...many(30, (index) => call('2025-10-08T10:00:00Z', 800 + index, versioned('1.5'))),
    ...many(9, () => call('2025-10-08T10:00:00Z', 9000, versioned('1.3'))),
  ]);

  test('have rows like two times', async () => {
    const report = await compare(source, asked);
    expect(report.split).toEqual({ by: 'version', before: '1.4', after: '1.5' });
    expect(report.windows.before).toEqual(report.windows.after);
    expect(
      report.data.map(({ step, before, after, deltaMs, verdict }) => [
        step,
        before.count,
        after.count,
        deltaMs,
        verdict,
      ]),
    ).toEqual([
      ['gpt', 30, 30, -200, 'faster'],
      ['conversation', 30, 30, -200, 'faster'],
    ]);
    expect(report.coverage).toMatchObject({ conversations: 69, warnings: [] });
  });

  test('are swapped with the sign of the difference', async () => {
    const { data } = await compare(source, { ...asked, before: '1.5', after: '1.4' });
    expect(data.map(({ deltaMs, verdict }) => [deltaMs, verdict])).toEqual([
      [200, 'slower'],
      [200, 'slower'],
    ]);
  });

  test('that nothing has are named beside those that there are', async () => {
    const report = await compare(source, { ...asked, after: '1.6' });
    expect(codesOf(report)).toEqual(['attribute-never-seen']);
    expect(report.coverage.warnings[0]!.text).toBe(
      'no step of the window has "1.6" as version; the most frequent values are "1.4", "1.5", "1.3"',
    );
    expect(report.data.map(({ verdict }) => verdict)).toEqual(['too few', 'too few']);
  });

  test('that one conversation has both of count on both sides, and a warning says so', async () => {
    const mixed = recordConversation({
      conversationId: 'mixed',
      startTime: '2025-10-08T10:00:00Z',
      steps: [
        { step: 'gpt', offsetMs: 0, durationMs: 100, model: 'large' },
        { step: 'gpt', offsetMs: 100, durationMs: 300, model: 'small' },
        { step: 'tts', offsetMs: 400, durationMs: 600 },
      ],
    });
    const split = { ...asked, splitBy: 'model', before: 'large', after: 'small' };
    const report = await compare(new MemorySource(mixed), split);
    expect(report.data).toMatchObject([
      { step: 'gpt', before: { count: 1, averageMs: 100 }, after: { count: 1, averageMs: 300 } },
      { step: 'conversation', before: { averageMs: 1000 }, after: { averageMs: 1000 } },
    ]);
    expect(codesOf(report)).toEqual(['sides-overlap']);
  });

  test.each([
    [{ after: '1.4' }, 'before and after must be two values of version, got "1.4" for both'],
    [{ by: 'model' as unknown as undefined }, 'by and splitBy cannot be given together'],
    [{ splitBy: '' }, 'splitBy must be one of model, provider'],
  ])('are refused with %j', async (change, reason) => {
    const answer = compare(source, { ...asked, ...change });
    await expect(answer).rejects.toMatchObject({ code: 'OPTION_OUT_OF_RANGE' });
    await expect(answer).rejects.toThrow(reason);
  });
});

describe('groups of a comparison', () => {
  test('are the largest of both windows together, each with its own verdicts', async () => {
    const source = new MemorySource([
      ...many(20, (index) => call('2025-10-08T10:00:00Z', 1000 + (index % 10), { model: 'large' })),
      ...many(30, (index) => call('2025-10-09T10:00:00Z', 1000 + (index % 10), { model: 'large' })),
      ...many(40, (index) => call('2025-10-08T10:00:00Z', 500 + (index % 10), { model: 'small' })),
      ...many(20, (index) => call('2025-10-09T10:00:00Z', 300 + (index % 10), { model: 'small' })),
      ...call('2025-10-09T10:00:00Z', 7),
    ]);
    const { by, data, findings } = await compare(source, { ...BOTH, by: 'model' });
    expect(by).toBe('model');
    expect(
      data.map(({ group, step, before, after, verdict }) => [group, step, before.count, after.count, verdict]),
    ).toEqual([
      ['small', 'gpt', 40, 20, 'faster'],
      ['small', 'conversation', 40, 20, 'faster'],
      ['large', 'gpt', 20, 30, 'no clear change'],
      ['large', 'conversation', 20, 30, 'no clear change'],
      ['(none)', 'gpt', 0, 1, 'too few'],
      ['(none)', 'conversation', 0, 1, 'too few'],
    ]);
    const change = findings.find(({ rule }) => rule === 'step-change')!;
    expect(change).toMatchObject({ evidence: { group: 'small', step: 'gpt' } });
    expect(change.text).toMatch(/^small: GPT time reduced by/);
  });
});

describe('windows', () => {
  const source = new MemorySource(many(30, (index) => call('2025-10-08T10:00:00Z', 1000 + index)));
  const longer = windowOf('2025-10-07T00:00:00Z', '2025-10-09T12:00:00Z');
  test.each([
    ['that follow one another', FIRST, SECOND, []],
    ['that overlap', FIRST, windowOf('2025-10-08T18:00:00Z', '2025-10-09T18:00:00Z'), ['sides-overlap']],
    ['that are swapped', SECOND, FIRST, ['windows-swapped']],
    [
      'of which one is more than twice as long',
      FIRST,
      windowOf('2025-10-09T00:00:00Z', '2025-10-12T00:00:00Z'),
      ['windows-uneven'],
    ],
    ['of which one contains the other', longer, FIRST, ['sides-overlap', 'windows-uneven']],
  ])('%s are answered, with warnings where they mislead', async (_name, before, after, codes) => {
    expect(codesOf(await compare(source, { before, after, timeZone: 'UTC' }))).toEqual(codes);
  });
});

describe('the mix of the two sides', () => {
  // Long texts take 2 s, short ones 1 s, on both sides; but afterwards most are long.
  const side = (day: string, long: number, extraMs: number): SpanRecord[] =>
    many(100, (index) => {
      const isLong = index < long;
      const start = `${day}T${String(8 + (index % 4)).padStart(2, '0')}:00:00Z`;
      return call(start, (isLong ? 2000 : 1000) + (index % 10) + extraMs, { inputChars: isLong ? 900 : 10 });
    });

  test('that changed is said, with the difference among equal conversations beside the plain one', async () => {
    const source = new MemorySource([...side('2025-10-08', 20, 0), ...side('2025-10-09', 80, 0)]);
    const { data, findings } = await compare(source, BOTH);
    expect(data[0]).toMatchObject({ step: 'gpt', verdict: 'slower' });
    expect(data[0]!.deltaMs).toBeCloseTo(600, 6);
    expect(data[0]!.withinGroups).toMatchObject({ groups: 2, conversationsPct: 100 });
    expect(data[0]!.withinGroups!.deltaMs).toBeCloseTo(0, 6);
    expect(data[0]!.withinGroups!.intervalMs[0]).toBeLessThan(0);
    expect(data[0]!.withinGroups!.intervalMs[1]).toBeGreaterThan(0);
    expect(findings.find(({ rule }) => rule === 'mix-changed')).toMatchObject({
      severity: 'warning',
      text: 'The two sides differ in text lengths: among equal conversations the total changed by +0ms',
      evidence: { factors: ['text lengths'], distancesPct: [60] },
    });
  });

  test('keeps a true difference among equal conversations', async () => {
    const source = new MemorySource([...side('2025-10-08', 20, 0), ...side('2025-10-09', 80, -300)]);
    const { data } = await compare(source, BOTH);
    expect(data[0]!.deltaMs).toBeCloseTo(300, 6);
    expect(data[0]!.withinGroups!.deltaMs).toBeCloseTo(-300, 6);
    expect(data[0]!.withinGroups!.intervalMs[1]).toBeLessThan(0);
  });

  test('that is the same has nothing beside the plain difference', async () => {
    const source = new MemorySource([...side('2025-10-08', 50, 0), ...side('2025-10-09', 50, 5)]);
    const { data, findings } = await compare(source, BOTH);
    expect(data.some(({ withinGroups }) => withinGroups !== undefined)).toBe(false);
    expect(findings.map(({ rule }) => rule)).not.toContain('mix-changed');
  });

  test.each([
    [
      'hour of day',
      (index: number, isAfter: boolean) =>
        call(isAfter ? '2025-10-09T20:00:00Z' : '2025-10-08T08:00:00Z', 1000 + index),
    ],
    ['error share', (index: number, isAfter: boolean) => failing(index, isAfter)],
    ['retries', (index: number, isAfter: boolean) => call(dayOf(isAfter), 1000 + index, isAfter ? { attempt: 2 } : {})],
    ['models', (index: number, isAfter: boolean) => call(dayOf(isAfter), 1000 + index, { model: isAfter ? 'b' : 'a' })],
  ])('tells the factor %s', async (factor, make) => {
    const source = new MemorySource([
      ...many(40, (index) => make(index, false)),
      ...many(40, (index) => make(index, true)),
    ]);
    const { findings } = await compare(source, BOTH);
    expect(findings.find(({ rule }) => rule === 'mix-changed')?.evidence['factors']).toEqual([factor]);
  });

  test('tells an error share of 2 % from one of 10 %, in 200 conversations on either side', async () => {
    const source = new MemorySource(
      [false, true].flatMap((isAfter) =>
        many(200, (index) => {
          const outcome = index < (isAfter ? 20 : 4) ? 'failed' : 'completed';
          // In all else the sides vary, and are alike.
          const kind = { inputChars: index, model: index % 3 === 0 ? 'a' : 'b', attempt: index % 20 === 0 ? 2 : 1 };
          return call(dayOf(isAfter), 1000 + index, kind).map((span) => ({ ...span, outcome }));
        }),
      ),
    );
    const { findings } = await compare(source, BOTH);
    expect(findings.find(({ rule }) => rule === 'mix-changed')?.evidence).toMatchObject({
      factors: ['error share'],
      distancesPct: [8],
    });
  });

  const dayOf = (isAfter: boolean): string => (isAfter ? '2025-10-09T08:00:00Z' : '2025-10-08T08:00:00Z');

  function failing(index: number, isAfter: boolean): SpanRecord[] {
    const isFailed = isAfter && index % 2 === 0;
    return call(dayOf(isAfter), 1000 + index).map((span) =>
      isFailed ? { ...span, outcome: 'failed' as const } : span,
    );
  }
});

import { expect, test } from '@jest/globals';
import { averages, compare, errors, MemorySource, slow, summary, trace } from '@convotel/query';
import type { Evidence, Finding } from '@convotel/query';
import { DAY, exampleConversations } from './example-conversations.ts';
import { recordConversation } from './record-conversation.ts';

// What a rule says is tested with the rule; here, that each command hands its rules what they need.

const source = exampleConversations();
const asked = { window: DAY, timeZone: 'UTC' };

function evidenceOf(findings: readonly Finding[], rule: string): Evidence | undefined {
  return findings.find((finding) => finding.rule === rule)?.evidence;
}

test('trace: the steps that a conversation did not get to, as the newest conversations have them', async () => {
  const { findings } = await trace(source, { conversationId: '20251008_143101_m3n4o5p6', timeZone: 'UTC' });
  expect(evidenceOf(findings, 'missing-steps')).toEqual({ missingSteps: ['tts', 'response'] });
});

test('trace: a conversation that completed without them misses no steps', async () => {
  const steps = [{ step: 'stt', offsetMs: 0, durationMs: 10 }];
  const short = { conversationId: 'short', startTime: '2025-10-08T15:00:00Z', steps };
  const whole = Array.from({ length: 3 }, (_none, index) => ({
    ...short,
    conversationId: `whole ${index}`,
    steps: [...steps, { step: 'tts', offsetMs: 10, durationMs: 10 }],
  }));
  const traceWith = async (outcome: 'completed' | 'failed'): Promise<Finding[]> => {
    const spans = [...whole, { ...short, outcome }].flatMap(recordConversation);
    return (await trace(new MemorySource(spans), { conversationId: 'short', timeZone: 'UTC' })).findings;
  };
  expect(evidenceOf(await traceWith('failed'), 'missing-steps')).toEqual({ missingSteps: ['tts'] });
  expect(evidenceOf(await traceWith('completed'), 'missing-steps')).toBeUndefined();
});

test('summary: the target', async () => {
  const one = { conversationId: '20251008_143022_a1b2c3d4', timeZone: 'UTC' };
  expect(evidenceOf((await summary(source, one)).findings, 'good-baseline')).toEqual({ totalMs: 6864, targetMs: 7000 });
  expect(evidenceOf((await summary(source, { ...one, targetMs: 6864 })).findings, 'good-baseline')).toBeUndefined();
});

test('averages: the mean total of a conversation', async () => {
  const { findings } = await averages(source, asked);
  const stt = findings.find(({ rule, evidence }) => rule === 'step-spread' && evidence['step'] === 'stt');
  // (1234 − 1200) of a mean total of (4·150 + 4902 + 3·(3567 + 1456 + 457)) / 4 = 5485.5 ms.
  expect(stt?.evidence['spreadPct']).toBeCloseTo(0.62, 2);
});

test('slow: the step that took most of the conversations listed', async () => {
  const { findings } = await slow(source, { ...asked, thresholdMs: 1000, targetMs: 6864 });
  const dominating = evidenceOf(findings, 'dominating-step');
  expect(dominating?.['step']).toBe('gpt');
  // 3·3567 of 3·6864 + 1350.
  expect(dominating?.['sharePct']).toBeCloseTo(48.77, 2);
  expect(evidenceOf(findings, 'investigate-slow')).toMatchObject({
    conversations: 4,
    thresholdMs: 1000,
    targetMs: 6864,
  });
});

test('errors: the causes of the same window', async () => {
  const { findings } = await errors(source, asked);
  expect(evidenceOf(findings, 'monitor-cause')).toEqual({ causes: ['API rate limit'] });
});

test('compare: its rows', async () => {
  const noon = (DAY.sinceUnixNano + DAY.untilUnixNano) / 2n;
  const halves = { before: { ...DAY, untilUnixNano: noon }, after: { ...DAY, sinceUnixNano: noon }, timeZone: 'UTC' };
  const { data, findings } = await compare(source, halves);
  expect(data.every(({ verdict }) => verdict === 'too few')).toBe(true);
  expect(findings.map(({ rule }) => rule)).toContain('comparison-verdict');
});

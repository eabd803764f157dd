import { traceIdOf } from '@convotel/conventions';
import { JaegerSource } from '@convotel/query';
import type { Report } from '@convotel/query';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { NaiveSource } from '@convotel/suite';
import { readJaegerSpans } from './reading/jaeger-spans.ts';
import { countServedSpans, startSecondBackEnd } from './reading/second-back-end.ts';
import type { SecondBackEnd } from './reading/second-back-end.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { sendPlan } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { callsAbout } from './truth/commands.ts';
import { differencesOfAnswers } from './truth/compare-answers.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';

const SERVICE = 'voice-bot';
const COUNT = 2000;
const HOUR_MS = 3_600_000;
const firstStartUnixMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
const planOptions = { prefix: 'equal', seed: 20_251_008, count: COUNT, firstStartUnixMs };
const plan = planConversations(planOptions);
const truth = spansOfPlan(plan, SERVICE);
const sinceUnixMs = firstStartUnixMs;
const untilUnixMs = plan.at(-1)!.startUnixMs + HOUR_MS;
const window = { sinceUnixNano: BigInt(sinceUnixMs) * 1_000_000n, untilUnixNano: BigInt(untilUnixMs) * 1_000_000n };

/** One of each kind: well, failed, retried, timed out, spoken over, with texts, without a root, with a foreign span. */
const chosen = [
  plan.find(({ outcome }) => outcome === 'completed'),
  plan.find(({ outcome }) => outcome === 'failed'),
  plan.find(({ steps }) => steps.some(({ attempt }) => attempt === 2)),
  plan.find(({ outcome }) => outcome === 'timed_out'),
  plan.find(({ outcome }) => outcome === 'interrupted'),
  plan.find(({ outcome }) => outcome === 'open'),
  plan.find(({ foreignSpan }) => foreignSpan !== undefined),
].map((planned) => planned!.conversationId);
const calls = callsAbout(window, [...new Set(chosen)], ['request', 'stt', 'moderation', 'gpt', 'tts', 'response']);

let stack: Stack;
let second: SecondBackEnd;

beforeAll(async () => {
  second = await startSecondBackEnd();
  // Fewer traces than the reader asks for when it may: it has to find out how many Jaeger lets it have.
  stack = await startStack({ alsoSendTo: second.url, maxTraces: COUNT + 10 });
  const reports = await sendPlan({ endpoint: stack.otlpUrl, serviceName: SERVICE, plan: planOptions, processes: 2 });
  expect(reports.map(({ undeliveredSpans }) => undeliveredSpans)).toEqual([0, 0]);
  expect(reports.reduce((sum, { deliveredSpans }) => sum + deliveredSpans, 0)).toBe(truth.length);
  const inJaeger = { service: SERVICE, sinceUnixMs, untilUnixMs, depth: COUNT };
  await waitUntil('Jaeger to have every span', async () => {
    return (await readJaegerSpans(stack.jaegerUrl, inJaeger)).length === truth.length;
  });
  await waitUntil('convotel serve to have every span', async () => {
    return (await countServedSpans(second.url, sinceUnixMs, untilUnixMs)) === truth.length;
  });
});

afterAll(async () => {
  await stack?.stop();
  await second?.stop();
});

async function askCommandLine(words: readonly string[], from: string): Promise<Report<string, unknown>> {
  const { status, stdout, stderr } = await runConvotel([...words, '--from', from, '--json']);
  if (status !== 0) throw new Error(`convotel ${words.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Report<string, unknown>;
}

test('the plan holds every kind of conversation that answers tell apart', () => {
  expect(new Set(plan.map(({ outcome }) => outcome))).toEqual(
    new Set(['completed', 'failed', 'timed_out', 'interrupted', 'open']),
  );
  expect(truth.some(({ durationNano, role }) => role === 'step' && durationNano >= 60_000_000_000n)).toBe(true);
  expect(truth.some(({ role }) => role === 'other')).toBe(true);
  expect(new Set(plan.map(({ conversationId }) => traceIdOf(conversationId))).size).toBe(COUNT);
});

describe('every command answers the known truth', () => {
  const naive = new NaiveSource(truth);

  test.each(calls.map((call) => [call.words.slice(0, 2).join(' '), call] as const))('%s', async (_, { words, ask }) => {
    const expected = await ask(naive);
    const [fromJaeger, fromServe] = [
      await askCommandLine(words, stack.jaegerUrl),
      await askCommandLine(words, second.url),
    ];
    expect([fromJaeger.source.kind, fromServe.source.kind]).toEqual(['jaeger', 'serve']);
    expect(fromJaeger.coverage).toMatchObject({ complete: true, warnings: [] });
    expect(differencesOfAnswers(fromJaeger, expected)).toEqual([]);
    expect(differencesOfAnswers(fromServe, expected)).toEqual([]);
    expect(differencesOfAnswers(fromJaeger, fromServe, { withSpanIds: true })).toEqual([]);
  });
});

test('fifty traces a search, so that time has to be cut, give the same answers', async () => {
  const naive = new NaiveSource(truth);
  const sliced = new JaegerSource(stack.jaegerUrl, { searchDepth: 50 });
  for (const { words, ask } of calls) {
    const answer = await ask(sliced);
    expect(answer.coverage).toMatchObject({ complete: true, warnings: [] });
    expect({ words, differences: differencesOfAnswers(answer, await ask(naive)) }).toEqual({ words, differences: [] });
  }
  await sliced.close();
});

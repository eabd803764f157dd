import { JaegerSource, ServeSource } from '@convotel/query';
import type { ConversationSource } from '@convotel/query';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NaiveSource } from '@convotel/suite';
import { installPythonPackages, runPythonProgram } from './python/run-python.ts';
import { readJaegerSpans } from './reading/jaeger-spans.ts';
import { countServedSpans, startSecondBackEnd } from './reading/second-back-end.ts';
import type { SecondBackEnd } from './reading/second-back-end.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { waitUntil } from './src/wait-until.ts';
import { callsAbout } from './truth/commands.ts';
import { differencesOfAnswers } from './truth/compare-answers.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';

const SERVICE = 'voice-bot-in-python';
const sinceUnixMs = Date.now() - 7_200_000;
const untilUnixMs = sinceUnixMs + 3_600_000;
const plan = planConversations({ prefix: 'python', seed: 3, count: 200, firstStartUnixMs: sinceUnixMs });
const truth = spansOfPlan(plan, SERVICE).map((span) => {
  // What a program may leave out, this one does: response latencies, and the workflow on spans other than roots.
  delete span.responseLatencySeconds;
  if (span.role !== 'root') delete span.workflow;
  return span;
});
const window = { sinceUnixNano: BigInt(sinceUnixMs) * 1_000_000n, untilUnixNano: BigInt(untilUnixMs) * 1_000_000n };
const calls = callsAbout(
  window,
  plan.slice(0, 10).map(({ conversationId }) => conversationId),
  ['gpt', 'tts'],
);

let packages: string;
let stack: Stack;
let backEnd: SecondBackEnd;

beforeAll(async () => {
  packages = await installPythonPackages();
  backEnd = await startSecondBackEnd();
  stack = await startStack({ programs: ['collector', 'jaeger'] });
});

afterAll(async () => {
  await stack?.stop();
  await backEnd?.stop();
});

async function expectTruth(source: ConversationSource): Promise<void> {
  const naive = new NaiveSource(truth);
  for (const { words, ask } of calls) {
    const differences = differencesOfAnswers(await ask(source), await ask(naive));
    expect({ words, differences }).toEqual({ words, differences: [] });
  }
  await source.close();
}

test('a program in Python that follows the conventions is analysed like ours, through collector and Jaeger', async () => {
  await runPythonProgram(packages, stack.otlpUrl, SERVICE, plan);
  const search = { service: SERVICE, sinceUnixMs, untilUnixMs };
  await waitUntil('Jaeger to have every span', async () => {
    return (await readJaegerSpans(stack.jaegerUrl, search)).length === truth.length;
  });
  await expectTruth(new JaegerSource(stack.jaegerUrl));
});

test('and straight to `convotel serve`', async () => {
  await runPythonProgram(packages, backEnd.url, SERVICE, plan);
  expect(await countServedSpans(backEnd.url, sinceUnixMs, untilUnixMs)).toBe(truth.length);
  await expectTruth(new ServeSource(backEnd.url));
});

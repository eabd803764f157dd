import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from 'convotel';
import type { Terminal } from 'convotel';
import { parseInstant } from '@convotel/query';
import type { PlansByName } from './conversation-plan.ts';
import { LINES_NO_RULE_GIVES, replaceUngivenLines } from './lines-no-rule-gives.ts';
import { otlpLines } from './otlp-lines.ts';
import { SUPPORT_PLANS } from './support-session.ts';
import { foldSkippedLines, printedLines, readTranscript } from './transcript.ts';
import { VOICE_PLANS } from './voice-session.ts';

interface Session {
  name: string;
  transcript: string;
  plans: PlansByName;
  timeZone: string;
}

const SESSIONS: Session[] = [
  { name: 'the example', transcript: 'voice-session.txt', plans: VOICE_PLANS, timeZone: 'Europe/Berlin' },
  { name: 'other step names', transcript: 'support-session.txt', plans: SUPPORT_PLANS, timeZone: 'Asia/Kolkata' },
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-example-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

for (const session of SESSIONS) {
  const commands = readTranscript(await readFile(new URL(session.transcript, import.meta.url), 'utf8'));
  describe(`the session with ${session.name}`, () => {
    for (const { step, words, plans, now, lines } of commands) {
      test(`${step}: convotel ${words.join(' ')}`, async () => {
        const path = join(folder, `${plans}.jsonl`);
        await writeFile(path, otlpLines(session.plans[plans] ?? []));
        // `watch` prints alerts, which carry no local times.
        const zone = words[0] === 'watch' ? [] : ['--tz', session.timeZone];
        const printed = await runCommandLine([...words, '--from', path, ...zone], now);
        const expected = replaceUngivenLines(step, lines);
        expect(printed.errors).toBe('');
        expect(foldSkippedLines(printedLines(printed.output), expected)).toEqual(expected);
        expect(expected.length).toBeGreaterThan(1);
      });
    }

    test('covers every step', () => {
      const steps = new Set(commands.map(({ step }) => step));
      expect([...steps]).toEqual(Array.from({ length: 10 }, (_, index) => `step ${index + 1}`));
    });
  });
}

test('at most ten lines of the example are not given by a rule, each with its reason', async () => {
  const transcript = await readFile(new URL('voice-session.txt', import.meta.url), 'utf8');
  const commands = readTranscript(transcript);
  const uses = LINES_NO_RULE_GIVES.map(
    ({ step, line }) =>
      commands.filter((command) => command.step === step).flatMap((command) => command.lines.filter((l) => l === line))
        .length,
  );
  expect(Math.min(...uses)).toBeGreaterThan(0);
  expect(uses.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(10);
  for (const { reason } of LINES_NO_RULE_GIVES) expect(reason).not.toBe('');
});

test("the monitoring script of the example's step 10 finds what the example finds", async () => {
  const transcript = readTranscript(await readFile(new URL('voice-session.txt', import.meta.url), 'utf8'));
  const { plans, now, lines } = transcript.find(({ step }) => step === 'step 10')!;
  // The script looks at the hour before the present.
  const lateMs = Date.now() - Date.parse(now);
  const moved = VOICE_PLANS[plans]!.map((plan) => ({
    ...plan,
    start: new Date(Date.parse(plan.start) + lateMs).toISOString(),
  }));
  const path = join(folder, 'last-hour.jsonl');
  await writeFile(path, otlpLines(moved));
  const script = fileURLToPath(new URL('../../examples/voice-assistant/dist/monitor.js', import.meta.url));
  const child = spawn(process.execPath, [script], { env: { ...process.env, NODE_OPTIONS: '', CONVOTEL_FROM: path } });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
    // The other line is printed in the same round.
    if (printed.split('\n').length > lines.length) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
  await ended;
  expect(printed.trimEnd().split('\n')).toEqual(lines);
});

async function runCommandLine(words: string[], now: string): Promise<{ output: string; errors: string }> {
  const written = { output: '', errors: '' };
  const terminal: Terminal = {
    writeOutput: (text) => void (written.output += text),
    writeError: (text) => void (written.errors += text),
    environment: {},
    isColorful: false,
    nowUnixNano: () => parseInstant(now),
    interrupted: new AbortController().signal,
  };
  await main(words, terminal);
  return written;
}

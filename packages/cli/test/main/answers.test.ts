import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { COMMANDS } from '../../src/commands/commands.ts';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { FOUR_CONVERSATIONS, temporaryFolder, writeOtlpFile } from './otlp-file.ts';

const schema = JSON.parse(readFileSync(new URL('../../schema/answers.schema.json', import.meta.url), 'utf8')) as {
  $defs: { answers: Record<string, object> };
};
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addSchema(schema, 'answers');

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile(FOUR_CONVERSATIONS);
});

interface Answered {
  status: number;
  output: string;
  errors: string;
}

async function ask(...words: string[]): Promise<Answered> {
  const terminal = recordingTerminal({ CONVOTEL_FROM: file });
  const status = await main(words, terminal);
  return { status, output: terminal.output, errors: terminal.errors };
}

const CALLS: readonly string[][] = [
  ['recent'],
  ['recent', '--since', '1h'],
  ['summary', 'good-0'],
  ['trace', 'bad-0'],
  ['timeline', 'good-1'],
  ['explain', 'good-2'],
  ['explain', 'latest'],
  ['satisfaction'],
  ['satisfaction', '--by', 'response', '--target', '6s'],
  ['correlation'],
  ['sessions'],
  ['session', 'call-1'],
  ['session', 'latest'],
  ['usage'],
  ['usage', '--by', 'day'],
  ['averages'],
  ['percentiles', 'gpt'],
  ['percentiles', 'never-seen'],
  ['percentiles', 'gpt', '--of', 'first-output'],
  ['percentiles', 'response latency'],
  ['slow', '--by', 'response', '--threshold', '1s'],
  ['slow', '--threshold', '1000'],
  ['longest'],
  ['errors'],
  ['success'],
  ['common-errors'],
  ['hours'],
  ['busiest'],
  ['compare', '--at', '2025-10-08T14:32:00Z', '--span', '1h'],
  ['averages', '--since', '2020-01-01', '--until', '2020-01-02'],
  ['slow', '--outcome', 'failed'],
  ['averages', '--by', 'model'],
  ['percentiles', 'gpt', '--by', 'workflow'],
  ['errors', '--by', 'service'],
  ['success', '--by', 'shop.id'],
  ['compare', '--at', '2025-10-08T14:32:00Z', '--span', '1h', '--by', 'model'],
  ['compare', '--split-by', 'workflow', '--before', 'voice', '--after', 'chat'],
];

describe('the JSON of a command', () => {
  test.each(CALLS.map((call) => [call.join(' '), call] as const))('%s follows its schema', async (_name, call) => {
    const { status, output, errors } = await ask(...call, '--json', '--tz', 'UTC');
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    const validate = ajv.getSchema(`answers#/$defs/answers/${call[0]}`);
    if (validate === undefined) throw new Error(`the schema has no answer named ${call[0]}`);
    const isValid = validate(JSON.parse(output));
    expect(validate.errors ?? []).toEqual([]);
    expect(isValid).toBe(true);
  });

  test('every command that answers is looked at here, and has a schema', async () => {
    const names: string[] = [];
    for (const { name, load } of COMMANDS) if ('csv' in (await load()).command.options) names.push(name);
    names.sort();
    expect([...new Set(CALLS.map(([name]) => name))].toSorted()).toEqual(names);
    expect(Object.keys(schema.$defs.answers)).toEqual(expect.arrayContaining(names));
  });

  test('a document that is not as it must be is refused', () => {
    const validate = ajv.getSchema('answers#/$defs/answers/recent');
    expect(validate?.({ command: 'recent', window: {}, source: {}, coverage: {}, data: [], findings: [] })).toBe(false);
  });

  test('holds what the file holds', async () => {
    const { output } = await ask('errors', '--json', '--tz', 'UTC');
    const { command, window, source, coverage, data } = JSON.parse(output) as Record<string, unknown>;
    expect({ command, window, source, coverage }).toEqual({
      command: 'errors',
      window: { since: '2025-10-07T15:00:00.000000Z', until: '2025-10-08T15:00:00.000000Z', timeZone: 'UTC' },
      source: { kind: 'file', location: file },
      coverage: { conversations: 4, spans: 22, complete: true, warnings: [] },
    });
    expect(data).toMatchObject([
      { step: 'request', total: 4, failures: 0, errorRatePct: 0 },
      { step: 'stt', total: 4, failures: 0, errorRatePct: 0 },
      { step: 'gpt', total: 4, failures: 1, errorRatePct: 25 },
      { step: 'tts', total: 3, failures: 0, errorRatePct: 0 },
      { step: 'response', total: 3, failures: 0, errorRatePct: 0 },
    ]);
  });

  test('has no findings with --no-findings', async () => {
    const { output } = await ask('errors', '--json', '--no-findings');
    expect((JSON.parse(output) as { findings: unknown[] }).findings).toEqual([]);
  });
});

describe('the text of a command', () => {
  test.each(CALLS.map((call) => [call.join(' '), call] as const))('%s is printed', async (_name, call) => {
    const { status, output } = await ask(...call, '--tz', 'UTC');
    expect(status).toBe(0);
    expect(output.split('\n').length).toBeGreaterThan(5);
    expect(output).not.toMatch(/undefined|NaN|\[object/);
  });

  test('has a block for each group', async () => {
    const { output } = await ask('averages', '--by', 'model', '--tz', 'UTC', '--no-findings');
    const [title, ...lines] = output.split('\n').filter((line) => !/^[=-]+$|^Left out|^$/.test(line));
    expect(title).toBe('Average Step Durations (last 24 hours) by model');
    expect(lines.map((line) => line.trim().split(/ {2,}/).slice(0, 3).join(' | '))).toEqual([
      'Group: a-model',
      'Step | Count | Avg (ms)',
      'gpt | 3 | 3500.0',
      'response latency | 3 | 6000.0',
      'Group: (none)',
      'Step | Count | Avg (ms)',
      'request | 4 | 150.0',
      'stt | 4 | 1200.0',
      'gpt | 0 | -',
      'tts | 3 | 1400.0',
      'response | 3 | 450.0',
    ]);
  });

  test('marks the step of the group that fails too often, not of others', async () => {
    const { output } = await ask('errors', '--by', 'workflow');
    const blocks = output.split('Group: ').slice(1);
    expect(blocks.map((block) => [block.split('\n')[0], block.includes('PROBLEM!')])).toEqual([
      ['voice', false],
      ['chat', true],
    ]);
    expect(output).toContain('• chat: GPT has 100% error rate');
  });

  test('is cut down to its numbers with --no-findings', async () => {
    const withFindings = (await ask('errors')).output;
    const without = (await ask('errors', '--no-findings')).output;
    expect(withFindings).toContain('← PROBLEM!');
    expect(without).not.toMatch(/←|FINDINGS|RECOMMENDATIONS/);
    expect(withFindings.startsWith(without.slice(0, 200))).toBe(true);
  });

  test('shows times of the zone asked for', async () => {
    expect((await ask('recent', '--tz', 'Asia/Kolkata')).output).toContain('2025-10-08T20:10:00.000000');
  });

  test('is chosen by filters', async () => {
    const { output } = await ask('recent', '--workflow', 'chat');
    expect(output).toContain('bad-0');
    expect(output).not.toContain('good-0');
  });
});

describe('compare', () => {
  let changing: string;
  beforeAll(async () => {
    changing = await writeOtlpFile(
      Array.from({ length: 40 }, (_, index) => ({
        id: `c-${index}`,
        start: `2025-10-08T14:${10 + index}:00Z`,
        workflow: index < 20 ? 'old' : 'new',
        steps: [{ step: 'gpt', durationMs: (index < 20 ? 1000 : 2000) + (index % 7) * 10 }],
      })),
    );
  });
  const times = ['compare', '--at', '2025-10-08T14:30:00Z', '--span', '1h'];

  async function run(words: readonly string[]): Promise<Answered> {
    const terminal = recordingTerminal({ CONVOTEL_FROM: changing });
    const status = await main([...words, '--tz', 'UTC'], terminal);
    return { status, output: terminal.output, errors: terminal.errors };
  }

  test('--fail-on ends with 10 when a row has the verdict, and still answers', async () => {
    const { status, output } = await run([...times, '--json', '--fail-on', 'slower']);
    expect(status).toBe(10);
    const { data } = JSON.parse(output) as { data: { verdict: string }[] };
    expect(data.map(({ verdict }) => verdict)).toEqual(['slower', 'slower']);
  });

  test.each([
    [['faster'], 0],
    [['gpt.p95>+10%'], 10],
    [['gpt.p95>+99%'], 0],
    [['gpt.average>+900ms'], 10],
    [['gpt.average>+1.1s'], 0],
    [['gpt.p50<-1ms'], 0],
    [['conversation.average>+0ms'], 10],
    [['conversation.error-rate>+0.5points'], 0],
    [['faster', 'gpt.p50 > +50%'], 10],
  ])('--fail-on %j ends with %i', async (conditions, status) => {
    const given = conditions.flatMap((condition) => ['--fail-on', condition]);
    expect((await run([...times, ...given])).status).toBe(status);
  });

  test.each([
    ['fast', 'it has no row, figure and change, as in <row>.<figure>><change>'],
    ['gpt.p96>+10%', '"p96" is not one of average, p50, p95, error-rate'],
    ['gpt.p95>10%', 'the change "10%" has no sign; write +10% or -10%'],
    ['gpt.p95>+10', '"+10" is neither per cent, such as +10%, nor a time, such as +200ms'],
    ['gpt.error-rate>+2%', 'an error rate changes by percentage points, such as +2points'],
  ])('--fail-on %s is refused before anything is read', async (condition, reason) => {
    const { status, output, errors } = await run([...times, '--fail-on', condition]);
    expect({ status, output }).toEqual({ status: 2, output: '' });
    expect(errors).toContain(reason);
  });

  test.each([
    ['gtp.p95>+10%', 'there is no row "gtp"; there are gpt, conversation'],
    ['response latency.p50>+10%', 'there is no row "response latency"'],
  ])('--fail-on %s cannot be evaluated, which is not the same as passing', async (condition, reason) => {
    const { status, output, errors } = await run([...times, '--fail-on', 'slower', '--fail-on', condition]);
    expect(output).toBe('');
    expect(status).toBe(2);
    expect(errors).toContain(`--fail-on ${condition} cannot be evaluated: ${reason}`);
  });

  const split = ['compare', '--split-by', 'workflow', '--since', '2025-10-08'];

  test('--split-by has the two values as sides', async () => {
    const { status, output } = await run([...split, '--before', 'old', '--after', 'new']);
    expect(status).toBe(0);
    expect(output).toContain('Before: workflow old\nAfter:  workflow new\nTime:   2025-10-08T00:00:00 to ');
    expect(output).toMatch(/^gpt +1028\.5 +2029\.0 +\+1000\.5 .* slower *$/m);
  });

  test('--by has a block for each group', async () => {
    const { output } = await run([...times, '--by', 'workflow']);
    expect(output.match(/^Group: .*$/gm)).toEqual(['Group: new', 'Group: old']);
  });

  test.each([
    [[...split, '--before', 'old'], '--split-by workflow needs --before <value> and --after <value>'],
    [[...split, '--before', 'old', '--after', 'old'], '--before and --after are both "old"'],
    [[...split, '--before', 'old', '--after', 'new', '--at', '1h'], '--at and --span compare two windows'],
    [[...split, '--before', 'old', '--after', 'new', '--by', 'model'], '--by and --split-by cannot be given together'],
    [[...times, '--since', '7d'], '--since goes with --split-by'],
    [['compare', '--before', '2d..1d', '--after', '2d..1d'], '--before and --after are the same window, "2d..1d"'],
    [['compare', '--before', '1d..2d', '--after', '1d..now'], '--before must begin before it ends'],
  ])('%j is refused', async (words, reason) => {
    const { status, errors } = await run(words);
    expect(status).toBe(2);
    expect(errors).toContain(reason);
  });

  test('of windows that overlap is answered, and says what that does', async () => {
    const { status, errors } = await run([
      'compare',
      '--before',
      '2025-10-08T14:00:00Z..2025-10-08T14:40:00Z',
      '--after',
      '2025-10-08T14:20:00Z..2025-10-08T15:00:00Z',
    ]);
    expect(status).toBe(0);
    expect(errors).toContain('Note: 20 min are on both sides, and count on each');
  });
});

test('explain says eight sentences at most, those about targets in convotel.json included', async () => {
  const steps = Array.from({ length: 12 }, (_none, index) => ({ step: `step-${index}`, durationMs: 1000 + index }));
  const from = await writeOtlpFile([{ id: 'long', start: '2025-10-08T14:30:00Z', steps }]);
  const config = join(await temporaryFolder(), 'convotel.json');
  await writeFile(config, JSON.stringify({ kinds: { other: { target: 500 } } }));
  const sentencesOf = async (command: string): Promise<number> => {
    const terminal = recordingTerminal({ CONVOTEL_FROM: from });
    expect(await main([command, 'long', '--json', '--config', config], terminal)).toBe(0);
    return (JSON.parse(terminal.output) as { findings: unknown[] }).findings.length;
  };
  expect(await sentencesOf('explain')).toBe(8);
  expect(await sentencesOf('summary')).toBeGreaterThan(12);
});

describe('watch --once', () => {
  test('prints the alerts and ends with 10', async () => {
    const { status, output } = await ask('watch', '--once');
    expect(status).toBe(10);
    expect(output).toBe('⚠️  HIGH ERROR RATE: gpt at 25.0%\n');
  });

  test('prints one JSON object a line', async () => {
    const { output } = await ask('watch', '--once', '--json', '--max-slow', '1', '--slow-threshold', '1000');
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    const validate = ajv.getSchema('answers#/$defs/alert');
    for (const line of lines) expect(validate?.(JSON.parse(line))).toBe(true);
  });

  test('ends with 0 and prints nothing when all is well', async () => {
    expect(await ask('watch', '--once', '--max-error-rate', '30')).toEqual({ status: 0, output: '', errors: '' });
  });

  test('knows own rules', async () => {
    const { output } = await ask(
      'watch',
      '--once',
      '--max-error-rate',
      'stt=5',
      '--max-p95',
      'gpt=3000',
      '--workflow',
      'voice',
    );
    expect(output).toMatch(/^⚠️ {2}SLOW STEP: gpt P95 at 3\.\d+s \(>3s\)\n$/);
    expect((await ask('watch', '--once', '--idle', '--session', 'nobody')).output).toMatch(/NO CONVERSATIONS/);
  });
});

test('watch prints round after round, each line with its time, until Ctrl-C, and ends with 130', async () => {
  const terminal = recordingTerminal({ CONVOTEL_FROM: file });
  const ending = main(['watch', '--interval', '20ms', '--tz', 'Asia/Kolkata'], terminal);
  while (terminal.output.split('\n').length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  terminal.interrupt();
  expect(await ending).toBe(130);
  expect(terminal.output).toMatch(/^(2025-10-08T20:30:00 ⚠️ {2}HIGH ERROR RATE: gpt at 25\.0%\n){3,}$/);
});

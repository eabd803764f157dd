import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { temporaryFolder, writeOtlpFile } from './otlp-file.ts';
import type { TestConversation } from './otlp-file.ts';

/** 20 conversations an hour, from `hour` on, of which the first `failed` fail at their language model. */
function hourOf(hour: number, failed: number, durationMs = 1000): TestConversation[] {
  return Array.from({ length: 20 }, (_, index) => ({
    id: `h${hour}-${index}`,
    start: `2025-10-08T${String(hour).padStart(2, '0')}:${String(index * 2).padStart(2, '0')}:00Z`,
    steps: [{ step: 'gpt', durationMs, ...(index < failed ? { error: 'rate limit' } : {}) }],
  }));
}

let from: string;
beforeAll(async () => {
  // By hour: 25 %, 15 %, 5 %, 25 %, none at all, slow.
  from = await writeOtlpFile([
    ...hourOf(10, 5),
    ...hourOf(11, 3),
    ...hourOf(12, 1),
    ...hourOf(13, 5),
    ...hourOf(15, 0, 9000),
  ]);
});

let state: string;
beforeEach(async () => {
  state = join(await temporaryFolder(), 'watch.json');
});

interface Looked {
  status: number;
  output: string;
  errors: string;
}

/** One round at a time of 8 October, in UTC; it looks back an hour. */
async function lookAt(time: string, ...words: string[]): Promise<Looked> {
  const terminal = recordingTerminal({ CONVOTEL_FROM: from }, { now: `2025-10-08T${time}:00Z` });
  const status = await main(['watch', '--once', ...words], terminal);
  return { status, output: terminal.output, errors: terminal.errors };
}

/** A settings file with these rules. */
async function settings(rules: unknown, more: object = {}): Promise<string> {
  const path = join(await temporaryFolder(), 'convotel.json');
  await writeFile(path, JSON.stringify({ watch: { rules, ...more } }));
  return path;
}

const QUIET = { status: 0, output: '', errors: '' };
const ALERT = { status: 10, output: '⚠️  HIGH ERROR RATE: gpt at 25.0%\n', errors: '' };

describe('with a state file, --once says only what is new', () => {
  test('an alert when it begins and when it is over', async () => {
    expect(await lookAt('11:00', '--state', state)).toEqual(ALERT);
    expect(await lookAt('11:00', '--state', state)).toEqual(QUIET);
    expect(await lookAt('11:05', '--state', state)).toEqual(QUIET);
    expect(await lookAt('13:00', '--state', state)).toMatchObject({
      status: 0,
      output: expect.stringMatching(/^✓ {2}OVER: HIGH ERROR RATE: gpt at \d+\.\d%\n$/),
    });
    expect(await lookAt('13:00', '--state', state)).toEqual(QUIET);
    expect(await lookAt('14:00', '--state', state)).toEqual(ALERT);
  });

  test('without one, it says what is wrong now, each time', async () => {
    expect(await lookAt('11:00')).toEqual(ALERT);
    expect(await lookAt('11:00')).toEqual(ALERT);
  });

  test('a state file that is something else is left alone', async () => {
    for (const content of ['notes', '{}', '{"version":2,"conditions":{}}', '{"version":1,"conditions":{"a":1}}']) {
      await writeFile(state, content);
      expect(await lookAt('11:00', '--state', state)).toMatchObject({
        status: 2,
        output: '',
        errors: expect.stringContaining(`--state ${state} is not a state file of watch`),
      });
      expect(await readFile(state, 'utf8')).toBe(content);
    }
  });

  test('a state file that a power failure has emptied is said, and begun anew', async () => {
    for (const content of ['', '\0'.repeat(200)]) {
      await writeFile(state, content);
      expect(await lookAt('11:00', '--state', state)).toEqual({
        ...ALERT,
        errors: expect.stringContaining(`--state ${state} is empty`),
      });
      expect(await lookAt('11:00', '--state', state)).toEqual(QUIET);
    }
  });

  test('a state file that cannot be written is said, after the alert', async () => {
    expect(await lookAt('11:00', '--state', '/proc/watch.json')).toMatchObject({
      status: 2,
      output: ALERT.output,
      errors: expect.stringContaining('--state cannot be written'),
    });
  });
});

describe('--for', () => {
  const words = (): string[] => ['--state', state, '--for', '10m'];

  test('waits until a condition has lasted', async () => {
    expect(await lookAt('10:45', ...words())).toEqual(QUIET);
    expect(await lookAt('10:50', ...words())).toEqual(QUIET);
    expect((await lookAt('10:55', ...words())).status).toBe(10);
    expect(await lookAt('11:00', ...words())).toEqual(QUIET);
  });

  test('begins anew after a break, and nothing is over that was never said', async () => {
    expect(await lookAt('10:45', ...words())).toEqual(QUIET);
    expect(await lookAt('13:00', ...words())).toEqual(QUIET);
    expect(await lookAt('13:20', ...words())).toEqual(QUIET);
    expect((await lookAt('13:30', ...words())).status).toBe(10);
  });

  test('has something to watch', async () => {
    const config = await settings([]);
    expect(await lookAt('11:00', '--config', config)).toMatchObject({
      status: 2,
      output: '',
      errors: expect.stringContaining('There is nothing to watch: watch.rules in convotel.json is empty'),
    });
    expect(await lookAt('11:00', '--config', config, '--idle')).toMatchObject({ status: 0, errors: '' });
  });

  test('needs a state file with --once, also for a rule of the settings', async () => {
    const config = await settings([{ rule: 'error-rate', for: '5m' }]);
    for (const more of [
      ['--for', '5m'],
      ['--config', config],
    ]) {
      expect(await lookAt('11:00', ...more)).toMatchObject({ status: 2, errors: expect.stringContaining('--state') });
    }
  });
});

describe('a minimum of samples', () => {
  test('keeps few spans from being an alert', async () => {
    expect(await lookAt('11:00', '--min-samples', '20')).toEqual(ALERT);
    expect(await lookAt('11:00', '--min-samples', '21')).toEqual(QUIET);
  });

  test('counts conversations where the rule is about them', async () => {
    const slow = ['--max-error-rate', '99', '--slow-threshold', '8s'];
    expect((await lookAt('16:00', ...slow, '--min-samples', '20')).output).toBe(
      '⚠️  SLOW PERFORMANCE: 20 conversations >8s\n',
    );
    expect(await lookAt('16:00', ...slow, '--min-samples', '21')).toEqual(QUIET);
  });

  test('too few to begin an alert are too few to end one', async () => {
    const words = ['--state', state, '--min-samples', '10'];
    expect(await lookAt('11:00', ...words)).toEqual(ALERT);
    // Four spans so far in this window, all failed.
    expect(await lookAt('13:08', ...words, '--since', '8m')).toEqual(QUIET);
    expect(await lookAt('13:00', ...words)).toMatchObject({ output: expect.stringMatching(/^✓ {2}OVER/) });
  });

  test('does not silence that there are none', async () => {
    expect((await lookAt('09:00', '--idle', '--min-samples', '5')).output).toMatch(/NO CONVERSATIONS/);
  });
});

test('an alert is over only below the lower limit', async () => {
  const config = await settings([{ rule: 'error-rate', above: 20, clearBelow: 10 }]);
  const words = ['--state', state, '--config', config];
  expect(await lookAt('11:00', ...words)).toEqual(ALERT);
  // 15 % is below the limit, but not below the lower one; without an alert before, it is none.
  expect(await lookAt('12:00', ...words)).toEqual(QUIET);
  expect(await lookAt('13:00', ...words)).toMatchObject({ status: 0, output: expect.stringMatching(/^✓ {2}OVER: /) });
  expect(await lookAt('12:00', ...words)).toEqual(QUIET);
  expect(await lookAt('12:00', '--config', config)).toEqual(QUIET);
});

describe('rules of convotel.json', () => {
  test('stand in place of the usual ones; options add to them', async () => {
    const config = await settings([{ rule: 'p95', step: 'gpt', above: '8.5s' }, { rule: 'no-conversations' }]);
    expect(await lookAt('11:00', '--config', config)).toEqual(QUIET);
    expect((await lookAt('16:00', '--config', config)).output).toBe('⚠️  SLOW STEP: gpt P95 at 9.000s (>8.5s)\n');
    expect((await lookAt('09:00', '--config', config)).output).toMatch(/^⚠️ {2}NO CONVERSATIONS: .*\n$/);
    expect(await lookAt('11:00', '--config', config, '--max-error-rate', '10')).toEqual(ALERT);
  });

  test('set how far a round looks back, and the minimum', async () => {
    const far = await settings([{ rule: 'error-rate', above: 10 }], { since: '3h' });
    expect((await lookAt('13:00', '--config', far)).output).toBe('⚠️  HIGH ERROR RATE: gpt at 15.0%\n');
    const many = await settings([{ rule: 'error-rate', minSamples: 30 }], { since: '3h', minSamples: 100 });
    expect((await lookAt('13:00', '--config', many)).status).toBe(10);
    const more = await settings([{ rule: 'error-rate' }], { since: '3h', minSamples: 100 });
    expect(await lookAt('13:00', '--config', more)).toEqual(QUIET);
  });

  test('thresholds of steps and of kinds are rules too', async () => {
    const path = join(await temporaryFolder(), 'convotel.json');
    await writeFile(path, JSON.stringify({ kinds: { language_model: { threshold: '8s' } }, watch: { rules: [] } }));
    expect((await lookAt('16:00', '--config', path)).output).toBe('⚠️  SLOW STEP: gpt P95 at 9.000s (>8s)\n');
    await writeFile(
      path,
      JSON.stringify({
        steps: { gpt: { threshold: '10s' } },
        kinds: { language_model: { threshold: '8s' } },
        watch: { rules: [] },
      }),
    );
    expect(await lookAt('16:00', '--config', path)).toEqual(QUIET);
  });

  test.each<[object, RegExp]>([
    [{ above: 5 }, /watch\.rules\[0\] must have a rule/],
    [{ rule: 'p95', above: '8s' }, /watch\.rules\[0\] must have a step/],
    [{ rule: 'p95', step: 'gpt' }, /watch\.rules\[0\] must have above, such as "8s"/],
    [{ rule: 'error-rate', above: '8s' }, /watch\.rules\[0\] must have a number as above, got "8s"/],
    [{ rule: 'error-rate', above: 200 }, /watch\.rules\[0\] must have a percentage from 0 to 100 as above, got 200/],
    [{ rule: 'error-rate', above: 5, clearBelow: 6 }, /watch\.rules\[0\] must not have clearBelow above its above/],
  ])('%j is refused', async (rule, message) => {
    const { status, output, errors } = await lookAt('11:00', '--config', await settings([rule]));
    expect({ status, output }).toEqual({ status: 2, output: '' });
    expect(errors).toMatch(message);
  });
});

test('--changes says when a condition begins and when it is over, and nothing in between', async () => {
  // The clock goes on by twenty minutes with each round.
  let nowUnixMs = Date.parse('2025-10-08T10:40:00Z');
  const recording = recordingTerminal({ CONVOTEL_FROM: from });
  const clock = {
    nowUnixNano: () => {
      nowUnixMs += 1_200_000;
      return BigInt(nowUnixMs) * 1_000_000n;
    },
  };
  const terminal = { ...recording, ...clock };
  const ending = main(
    ['watch', '--changes', '--interval', '5ms', '--max-error-rate', '20', '--max-slow', '9999', '--tz', 'UTC'],
    terminal,
  );
  const giveUpAt = performance.now() + 60_000;
  while (recording.output.split('\n').length < 5 && performance.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  recording.interrupt();
  expect(await ending).toBe(130);
  expect(
    recording.output
      .replaceAll(/\d+\.\d%/g, 'n%')
      .split('\n')
      .slice(0, 4),
  ).toEqual([
    '2025-10-08T11:00:00 ⚠️  HIGH ERROR RATE: gpt at n%',
    '2025-10-08T11:20:00 ✓  OVER: HIGH ERROR RATE: gpt at n%',
    '2025-10-08T13:20:00 ⚠️  HIGH ERROR RATE: gpt at n%',
    expect.stringMatching(/^2025-10-08T14:[02]0:00 ✓ {2}OVER: HIGH ERROR RATE: gpt at n%$/),
  ]);
});

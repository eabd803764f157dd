import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isReached } from './src/fault.ts';
import type { Measured } from './src/fault.ts';
import { FAULTS } from './src/faults.ts';
import { seededRandom, seedOfRun } from './src/random.ts';

const seed = seedOfRun();

/** Faults of the store whose short run is short. */
const SHORT_OF_STORE = ['store/lost-folder', 'store/full-disk'];

// Short runs; the store's other faults, the long runs and the table come by `npm run test:faults`.
test.each(Object.keys(FAULTS).filter((name) => name.startsWith('sdk/') || SHORT_OF_STORE.includes(name)))(
  `%s (seed ${seed})`,
  async (name) => {
    const fault = await FAULTS[name]!();
    const measured: Measured[] = [];
    await fault.run({
      size: 'short',
      isLong: false,
      random: seededRandom(seed),
      measured: (each) => void measured.push(each),
    });
    expect(measured.length).toBeGreaterThan(0);
    expect(measured.filter((each) => !isReached(each))).toEqual([]);
  },
  600_000,
);

test.each([
  [['--help'], 0, 'stdout', /^Usage: .*\n[^]*sdk\/kill\n[^]*store\/soak/],
  [['--quick'], 2, 'stderr', /Unknown option '--quick'[^]*--short/],
  [['nothing'], 2, 'stderr', /^There is no fault nothing\.\n[^]*sdk\/kill/],
  [['--short', '--ci'], 2, 'stderr', /^--short and --ci exclude each other/],
] as const)('the command runs nothing when asked %j', (asked, status, stream, text) => {
  const ended = spawnSync(process.execPath, [join(import.meta.dirname, 'dist/main.js'), ...asked], {
    encoding: 'utf8',
  });
  expect(ended.status).toBe(status);
  expect(ended[stream]).toMatch(text);
  expect(ended.stdout).not.toContain('running: ');
});

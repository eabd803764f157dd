import { expect, test } from '@jest/globals';
import { isReached } from './src/fault.ts';
import type { Measured } from './src/fault.ts';
import { FAULTS } from './src/faults.ts';
import { seededRandom, seedOfRun } from './src/random.ts';

const seed = seedOfRun();

// Short runs of what the SDK promises; the store's, the long ones and the table come by `npm run test:faults`.
test.each(Object.keys(FAULTS).filter((name) => name.startsWith('sdk/')))(
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
  180_000,
);

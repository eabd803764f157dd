import { cpus } from 'node:os';
import { type Fault, isReached, seededRandom } from './fault.ts';

/** Every fault that is tried, in order; each loads only when its turn comes. */
const FAULTS: Readonly<Record<string, () => Promise<Fault>>> = {
  size: async () => (await import('./rows/size.ts')).fault,
  clock: async () => (await import('./rows/clock.ts')).fault,
  'damaged-log': async () => (await import('./rows/damaged-log.ts')).fault,
  'power-loss': async () => (await import('./rows/power-loss.ts')).fault,
  kill: async () => (await import('./rows/kill.ts')).fault,
  memory: async () => (await import('./rows/memory.ts')).fault,
  'step-names': async () => (await import('./rows/step-names.ts')).fault,
  soak: async () => (await import('./rows/soak.ts')).fault,
};

/** `npm run test:faults:store [-- --short] [-- name …]`: runs every fault and prints one table. */
const isLong = !process.argv.includes('--short');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seed = Number(process.env['CONVOTEL_TEST_SEED'] ?? 0) || Date.now() % 1_000_000_000;
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} CPUs, seed ${seed}`);
const lines: string[] = [];
let missed = 0;
for (const [name, load] of Object.entries(FAULTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const fault = await load();
  const startMs = performance.now();
  const row: string[] = [];
  const add = (text: string): void => {
    row.push(text);
    console.log(text);
  };
  console.log(`running: ${fault.name}`);
  try {
    await fault.run({
      isLong,
      random: seededRandom(seed),
      measured: (measured) => {
        const { name: what, value, atMost, atLeast } = measured;
        if (!isReached(measured)) missed += 1;
        const promise = atMost === undefined ? (atLeast === undefined ? '' : ` (≥ ${atLeast})`) : ` (≤ ${atMost})`;
        add(`    ${isReached(measured) ? 'ok    ' : 'MISSED'} ${what}: ${Math.round(value * 100) / 100}${promise}`);
      },
    });
  } catch (error) {
    missed += 1;
    add(`    MISSED the run broke: ${(error as Error).stack ?? String(error)}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  lines.push(`${name} (${seconds} s): ${fault.name}`, ...row);
}
console.log(`\n${lines.join('\n')}\n\nseed ${seed}, figures missed: ${missed}`);
process.exitCode = missed === 0 ? 0 : 1;

import { cpus } from 'node:os';
import { isReached } from './fault.ts';
import { FAULTS } from './faults.ts';
import { seededRandom, seedOfRun } from './random.ts';

/** `npm run test:faults [-- --short] [-- name …]`: runs every fault and prints one table. */
const isLong = !process.argv.includes('--short');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seed = seedOfRun();
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} CPUs, seed ${seed}`);
const lines: string[] = [];
let missed = 0;
for (const [name, load] of Object.entries(FAULTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const fault = await load();
  const startMs = performance.now();
  console.log(`running: ${fault.name}`);
  const row: string[] = [];
  try {
    await fault.run({
      isLong,
      random: seededRandom(seed),
      measured: (measured) => {
        const { name: what, value, atMost, atLeast } = measured;
        if (!isReached(measured)) missed += 1;
        const figure = atMost === undefined ? (atLeast === undefined ? '' : ` (≥ ${atLeast})`) : ` (≤ ${atMost})`;
        row.push(`    ${isReached(measured) ? 'ok    ' : 'MISSED'} ${what}: ${Math.round(value * 100) / 100}${figure}`);
      },
    });
  } catch (error) {
    missed += 1;
    row.push(`    MISSED the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  lines.push(`${name} (${seconds} s): ${fault.name}`, ...row);
  console.log(row.join('\n'));
}
console.log(`\n${lines.join('\n')}\n\nseed ${seed}, figures missed: ${missed}`);
process.exitCode = missed === 0 ? 0 : 1;

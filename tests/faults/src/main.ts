import { cpus } from 'node:os';
import { isReached } from './fault.ts';
import type { Fault, Measured } from './fault.ts';
import { FAULTS } from './faults.ts';
import { seededRandom, seedOfRun } from './random.ts';

/**
 * `npm run test:faults [-- --short] [name …]`: runs the faults and prints one table. A name is that of a fault
 * (`sdk/kill`), of its row alone (`kill`: in the SDK and in the store) or of a part (`store`).
 */
const isLong = !process.argv.includes('--short');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seed = seedOfRun();

const isMeant = (fault: string, name: string): boolean => name === fault || fault.split('/').includes(name);
const unknown = asked.filter((name) => !Object.keys(FAULTS).some((fault) => isMeant(fault, name)));
if (unknown.length > 0) {
  console.error(`There is no fault ${unknown.join(', ')}. These are tried: ${Object.keys(FAULTS).join(', ')}.`);
  process.exit(2);
}

console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} CPUs, seed ${seed}`);
const table: string[] = [];
let passed = 0;
let failed = 0;
for (const [name, load] of Object.entries(FAULTS)) {
  if (asked.length > 0 && !asked.some((each) => isMeant(name, each))) continue;
  const fault = await load();
  const startMs = performance.now();
  console.log(`running: ${fault.name}`);
  const { lines, isPassed } = await tried(fault);
  if (isPassed) passed += 1;
  else failed += 1;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  table.push(`${isPassed ? 'passed' : 'FAILED'} ${name} (${seconds} s): ${fault.name}`, ...lines);
}
console.log(`\n${table.join('\n')}\n\nseed ${seed}\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** A fault has passed when it was measured, and every figure is reached. */
async function tried(fault: Fault): Promise<{ lines: string[]; isPassed: boolean }> {
  const lines: string[] = [];
  const add = (line: string): void => {
    lines.push(line);
    console.log(line);
  };
  let reached = 0;
  let missed = 0;
  const measured = (each: Measured): void => {
    const isRight = isReached(each);
    if (isRight) reached += 1;
    else missed += 1;
    add(`    ${isRight ? 'ok    ' : 'MISSED'} ${each.name}: ${Math.round(each.value * 100) / 100}${promiseOf(each)}`);
  };
  try {
    await fault.run({ isLong, random: seededRandom(seed), measured });
  } catch (error) {
    missed += 1;
    add(`    MISSED the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { lines, isPassed: missed === 0 && reached > 0 };
}

function promiseOf({ atMost, atLeast }: Measured): string {
  if (atMost !== undefined) return ` (≤ ${atMost})`;
  return atLeast === undefined ? '' : ` (≥ ${atLeast})`;
}

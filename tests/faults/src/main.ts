import { cpus } from 'node:os';
import { isReached } from './fault.ts';
import type { Fault, Measured } from './fault.ts';
import { FAULTS } from './faults.ts';
import { seededRandom, seedOfRun } from './random.ts';

/**
 * `npm run test:faults [-- --short | --ci] [name …]`: runs the faults and prints one table. A name is that of a fault
 * (`sdk/kill`), of its row alone (`kill`: in the SDK and in the store) or of a part (`store`).
 */
const size = (['short', 'ci'] as const).find((each) => process.argv.includes(`--${each}`)) ?? 'long';
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seed = seedOfRun();
const PATIENCE_MS = 10 * 60_000;

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
// Not by itself: a row that hung may still hold something.
process.exit(failed === 0 ? 0 : 1);

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
    await withPatience(fault.run({ size, isLong: size === 'long', random: seededRandom(seed), measured }));
  } catch (error) {
    missed += 1;
    add(`    MISSED the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { lines, isPassed: missed === 0 && reached > 0 };
}

/** A row that hangs is a row that failed; long ones may take their time. */
async function withPatience(run: Promise<void>): Promise<void> {
  if (size === 'long') return run;
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${PATIENCE_MS / 60_000} minutes`)), PATIENCE_MS);
  });
  try {
    await Promise.race([run, hangs]);
  } finally {
    clearTimeout(timer);
  }
}

function promiseOf({ atMost, atLeast }: Measured): string {
  if (atMost !== undefined) return ` (≤ ${atMost})`;
  return atLeast === undefined ? '' : ` (≥ ${atLeast})`;
}

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isReached } from './fault.ts';
import type { Fault, Measured, RunSize } from './fault.ts';
import { FAULTS } from './faults.ts';
import { seededRandom, seedOfRun } from './random.ts';

const NAMES = Object.keys(FAULTS);
const HELP = `Usage: npm run test:faults [-- [--short | --ci] [name ...]]

Runs the faults and prints one table; exits with 1 when a figure is missed. A name is that of a fault (sdk/kill), of its
row alone (kill: in the SDK and in the store) or of a part (store). Without a name, all are run.

  --short  few tries, as in npm test
  --ci     more tries; figures of time and memory are printed, and not judged
  --help   prints this

CONVOTEL_TEST_SEED=<number> repeats a run; each run prints its seed.

Faults:
${NAMES.map((name) => `  ${name}`).join('\n')}`;

const isMeant = (fault: string, name: string): boolean => name === fault || fault.split('/').includes(name);
const { size, asked } = parseCommandLine();
const seed = seedOfRun();
const PATIENCE_MS = 10 * 60_000;

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

function parseCommandLine(): { size: RunSize; asked: readonly string[] } {
  const flag = { type: 'boolean' } as const;
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals: true, options: { short: flag, ci: flag, help: { ...flag, short: 'h' } } });
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    console.log(HELP);
    process.exit(0);
  }
  const unknown = positionals.filter((name) => !NAMES.some((fault) => isMeant(fault, name)));
  if (unknown.length > 0) return refuse(`There is no fault ${unknown.join(', ')}.`);
  if (values.short === true && values.ci === true) return refuse('--short and --ci exclude each other.');
  return { size: values.short === true ? 'short' : values.ci === true ? 'ci' : 'long', asked: positionals };
}

function refuse(reason: string): never {
  console.error(`${reason}\n\n${HELP}`);
  process.exit(2);
}

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

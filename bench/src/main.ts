import { cpus } from 'node:os';
import type { Bench, Figure } from './figure.ts';

/** The topics, in the order in which they run; each loads only when its turn comes. */
const TOPICS: Readonly<Record<string, () => Promise<Bench>>> = {
  'step-cost': async () => (await import('./step-cost.ts')).bench,
  'result-kinds': async () => (await import('./result-kinds.ts')).bench,
  'result-cost': async () => (await import('./result-cost.ts')).bench,
  'journal-cost': async () => (await import('./journal-cost.ts')).bench,
  compare: async () => (await import('./compare.ts')).bench,
  calibration: async () => (await import('./calibration.ts')).bench,
  'store-questions': async () => (await import('./store-questions.ts')).bench,
  'store-growth': async () => (await import('./store-growth.ts')).bench,
  ingest: async () => (await import('./ingest.ts')).bench,
  'command-line': async () => (await import('./command-line.ts')).bench,
  crash: async () => (await import('./crash.ts')).bench,
};

function line(figure: Figure): string {
  const { name, value, unit, atMost, atLeast, note } = figure;
  const isMissed = value > (atMost ?? Infinity) || value < (atLeast ?? -Infinity);
  const promised = [atLeast === undefined ? '' : `≥ ${atLeast}`, atMost === undefined ? '' : `≤ ${atMost}`].filter(
    Boolean,
  );
  const promise = promised.length === 0 ? '' : `  (promised ${promised.join(' and ')}${isMissed ? ', MISSED' : ''})`;
  return `${name.padEnd(64)} ${value.toPrecision(4).padStart(10)} ${unit}${promise}${note === undefined ? '' : `\n    ${note}`}`;
}

const asked = process.argv.slice(2);
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`);
for (const [topic, load] of Object.entries(TOPICS)) {
  if (asked.length > 0 && !asked.includes(topic)) continue;
  console.log(`\n${topic}`);
  const bench = await load();
  await bench((figure) => console.log(line(figure)));
}

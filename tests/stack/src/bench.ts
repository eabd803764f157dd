import { execFileSync, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { averages, formatInstant, JaegerSource } from '@convotel/query';
import type { Window } from '@convotel/query';
import { startStack } from './start-stack.ts';
import type { Stack } from './start-stack.ts';
import { planConversations } from './traffic/plan-conversations.ts';
import { sendPlan } from './traffic/run-program.ts';
import { waitUntil } from './wait-until.ts';

const SERVICE = 'voice-bot';
const ROUNDS = 5;
const CONVOTEL = fileURLToPath(new URL('bin/convotel.js', import.meta.resolve('convotel/package.json')));
const PRINT_PEAK_MEMORY =
  'data:text/javascript,process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS} KiB`))';

const plan = { prefix: 'bench', seed: 1, count: 20_000, firstStartUnixMs: Date.now() - 90_000_000, spacingMs: 4000 };
const conversations = planConversations(plan);
const spanCount = conversations.reduce(
  (sum, { steps, outcome, foreignSpan }) =>
    sum + steps.length + (outcome === 'open' ? 0 : 1) + (foreignSpan === undefined ? 0 : 1),
  0,
);
const sinceUnixMs = plan.firstStartUnixMs;
const untilUnixMs = conversations.at(-1)!.startUnixMs + 3_600_000;
const window: Window = { sinceUnixNano: nano(sinceUnixMs), untilUnixNano: nano(untilUnixMs) };

/** `npm run bench:stack`: how quickly answers come out of Jaeger. */
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`);
console.log(`${plan.count} conversations, ${spanCount} spans; medians of ${ROUNDS} rounds in turn`);
for (const storage of ['memory', 'badger'] as const) {
  const stack = await startStack({ programs: ['collector', 'jaeger'], storage });
  try {
    await sendPlan({ endpoint: stack.otlpUrl, serviceName: SERVICE, plan });
    await waitUntil('Jaeger to have every span', () => hasSent(stack, spanCount), { timeoutMs: 300_000 });
    await measureWindow(stack, storage);
    if (storage === 'memory') measureCommandLine(stack);
  } finally {
    await stack.stop();
  }
}

/** Whether the collector has given so many spans to Jaeger, as it counts them itself. */
async function hasSent({ collectorMetricsUrl }: Stack, count: number): Promise<boolean> {
  const metrics = await (await fetch(collectorMetricsUrl)).text();
  const sent = /^otelcol_exporter_sent_spans(?:_total)?\{[^}]*\} (\S+)/m.exec(metrics)?.[1];
  return Number(sent) >= count;
}

async function measureWindow({ jaegerUrl }: Stack, storage: 'memory' | 'badger'): Promise<void> {
  const bare: number[] = [];
  const ours: number[] = [];
  let byteCount = 0;
  for (let round = -1; round < ROUNDS; round++) {
    const bareStartMs = performance.now();
    byteCount = await fetchAndParse(jaegerUrl);
    const bareMs = performance.now() - bareStartMs;

    const source = new JaegerSource(jaegerUrl);
    const startMs = performance.now();
    const { coverage } = await averages(source, { window, timeZone: 'UTC' });
    const elapsedMs = performance.now() - startMs;
    await source.close();
    if (!coverage.complete || coverage.spans !== spanCount || coverage.conversations !== plan.count) {
      throw new Error(`The answer does not rest on everything: ${JSON.stringify(coverage)}`);
    }
    // The first round fills caches.
    if (round < 0) continue;
    bare.push(bareMs);
    ours.push(elapsedMs);
  }
  const ratio = median(ours) / median(bare);
  const promise = storage === 'memory' ? ` (promised ≤ 1.5${ratio <= 1.5 ? '' : ', MISSED'})` : '';
  console.log(`\nJaeger, ${storage}: ${(byteCount / 1e6).toFixed(1)} MB of JSON`);
  console.log(`  fetch and JSON.parse once            ${median(bare).toFixed(0)} ms`);
  console.log(`  averages of the whole window         ${median(ours).toFixed(0)} ms = ${ratio.toFixed(2)} ×${promise}`);
}

/** What a program would do that reads everything in one search. */
async function fetchAndParse(jaegerUrl: string): Promise<number> {
  const parameters = new URLSearchParams({
    'query.service_name': SERVICE,
    'query.start_time_min': new Date(sinceUnixMs).toISOString(),
    'query.start_time_max': new Date(untilUnixMs).toISOString(),
    'query.num_traces': String(plan.count),
  });
  const text = await (await fetch(`${jaegerUrl}/api/v3/traces?${parameters.toString()}`)).text();
  const { result } = JSON.parse(text) as { result: { resourceSpans: unknown[] } };
  if (result.resourceSpans.length === 0) throw new Error('Jaeger found nothing.');
  return Buffer.byteLength(text);
}

function measureCommandLine({ jaegerUrl }: Stack): void {
  const from = ['--from', jaegerUrl, '--tz', 'UTC'];
  const since = ['--since', formatInstant(window.sinceUnixNano), '--until', formatInstant(window.untilUnixNano)];
  const words = ['--import', PRINT_PEAK_MEMORY, CONVOTEL, 'averages', ...since, ...from, '--json'];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const { coverage } = JSON.parse(stdout) as { coverage: { spans: number } };
  if (coverage.spans !== spanCount) throw new Error(`The command read ${coverage.spans} of ${spanCount} spans.`);
  const peakMib = Number(/peak (\d+) KiB/.exec(stderr)![1]) / 1024;
  console.log(`  peak memory of convotel averages     ${peakMib.toFixed(0)} MiB${promised(peakMib, 500 / 1.048576)}`);

  const { conversationId } = conversations.find(({ outcome }) => outcome === 'completed')!;
  const summary = [CONVOTEL, 'summary', conversationId, ...from];
  const times = { bare: [] as number[], help: [] as number[], summary: [] as number[] };
  for (let round = -1; round < 3 * ROUNDS; round++) {
    const bareMs = timeOf(['-e', '0'], '');
    const helpMs = timeOf([CONVOTEL, '--help'], 'summary');
    const summaryMs = timeOf(summary, conversationId);
    if (round < 0) continue;
    times.bare.push(bareMs);
    times.help.push(helpMs);
    times.summary.push(summaryMs);
  }
  const [bareMs, helpMs, summaryMs] = [median(times.bare), median(times.help), median(times.summary)];
  console.log(`  summary of one conversation          ${summaryMs.toFixed(0)} ms`);
  console.log(
    `    beyond node -e 0                   ${(summaryMs - bareMs).toFixed(0)} ms${promised(summaryMs - bareMs, 50)}`,
  );
  console.log(`    beyond convotel --help             ${(summaryMs - helpMs).toFixed(0)} ms`);
}

function timeOf(words: string[], expected: string): number {
  const startMs = performance.now();
  const output = execFileSync(process.execPath, words, { encoding: 'utf8' });
  const elapsedMs = performance.now() - startMs;
  if (!output.includes(expected)) throw new Error(`node ${words.join(' ')} printed something else:\n${output}`);
  return elapsedMs;
}

function promised(value: number, atMost: number): string {
  return ` (promised ≤ ${atMost.toFixed(0)}${value <= atMost ? '' : ', MISSED'})`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function nano(unixMs: number): bigint {
  return BigInt(unixMs) * 1_000_000n;
}

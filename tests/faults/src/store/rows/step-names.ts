import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Fault, FaultRun } from '../../fault.ts';
import { ask, COMMAND, memoryOf, pause, send, startServe, withFolder } from '../serve-process.ts';
import type { ServeProcess } from '../serve-process.ts';
import { stepSpan, traceRequest } from '../spans.ts';

/** Words of every command that answers, over conversations `c0`, `c1` … ; the others answer nothing, or run on. */
const WORDS: Readonly<Record<string, readonly string[] | undefined>> = {
  recent: ['--limit', '10000'],
  summary: ['c1'],
  trace: ['c1'],
  timeline: ['c1'],
  explain: ['c1'],
  sessions: [],
  averages: [],
  percentiles: ['tool-1'],
  slow: ['--threshold', '1ms', '--limit', '10000'],
  longest: [],
  errors: [],
  success: [],
  'common-errors': ['--limit', '10000'],
  usage: [],
  hours: [],
  busiest: [],
  compare: ['--at', '30s', '--span', '1h'],
  correlation: [],
  satisfaction: [],
  doctor: [],
  session: undefined,
  demo: undefined,
  serve: undefined,
  ui: undefined,
  watch: undefined,
  backup: undefined,
  completion: undefined,
  export: undefined,
  import: undefined,
  forget: undefined,
  clickhouse: undefined,
};

/** Commands about one conversation. */
const ON_ONE = ['summary', 'trace', 'timeline', 'explain'];

/** A program that puts an id into each step's name; and one conversation that never ends. */
export const fault: Fault = {
  name: 'step names with ids in them, and one conversation of very many steps',
  async run(run) {
    await askOverNames(run, run.isLong ? 100_000 : 5_000);
    await askAboutOne(run, run.isLong ? 40_000 : 5_000);
  },
};

async function askOverNames({ isLong, measured }: FaultRun, names: number): Promise<void> {
  await withFolder(async (folder) => {
    const serve = await startServe(join(folder, 'store.duckdb'));
    const now = Date.now();
    await sendSpans(serve, names, (index) => ({
      conversationId: `c${Math.floor(index / 10)}`,
      startMs: now - 60_000 + (index * 50_000) / names,
      step: `tool-${index}`,
    }));
    const commands = await listCommands();
    const unknown = commands.filter((command) => !(command in WORDS));
    measured({
      name: `commands of which this row does not know how to ask them (${unknown.join(', ')})`,
      value: unknown.length,
      atMost: 0,
    });
    let failures = 0;
    let [slowest, largest] = [
      { command: '', value: 0 },
      { command: '', value: 0 },
    ];
    for (const command of commands) {
      const words = WORDS[command];
      if (words === undefined) continue;
      const { status, seconds, peakMb } = await runCommand([command, ...words, '--from', serve.url]);
      if (status !== 0) failures += 1;
      if (seconds > slowest.value) slowest = { command, value: seconds };
      if (peakMb > largest.value) largest = { command, value: peakMb };
    }
    measured({ name: `commands over ${names} step names that failed`, value: failures, atMost: 0 });
    measured({ name: `slowest command (${slowest.command}), s`, value: slowest.value, ...(isLong && { atMost: 2 }) });
    measured({ name: `largest command (${largest.command}), MB`, value: largest.value, atMost: 500 });
    measured({ name: 'serve meanwhile, at most, MB', value: memoryOf(serve.child).peakMb, atMost: 500 });
    await serve.stop('SIGKILL');
  });
}

async function askAboutOne({ isLong, measured }: FaultRun, steps: number): Promise<void> {
  for (const [shape, depthOf] of [
    ['side by side', () => 0],
    ['each inside the one before', (index: number) => index],
  ] as const) {
    await withFolder(async (folder) => {
      const serve = await startServe(join(folder, 'store.duckdb'));
      const startMs = Date.now() - 600_000;
      await sendSpans(serve, steps, (index) => ({
        conversationId: 'long',
        startMs: startMs + index * 10,
        durationMs: 8,
        step: `step-${index % 4}`,
        depth: depthOf(index),
      }));
      // Newer ones, so that the questions meanwhile are about others.
      await sendSpans(serve, 100, (index) => ({
        conversationId: `short-${Math.floor(index / 5)}`,
        startMs: startMs + 500_000 + index * 100,
      }));
      const latencies: number[] = [];
      const over = new AbortController();
      const asking = (async () => {
        while (!over.signal.aborted) {
          const start = performance.now();
          await ask(serve.url, '/api/v1/conversations?order=newest&limit=10');
          latencies.push(performance.now() - start);
          await pause(5);
        }
      })();
      for (const command of ON_ONE) {
        const { status, seconds, outputBytes } = await runCommand([command, 'long', '--from', serve.url]);
        const what = `${command} of ${steps} steps, ${shape}`;
        measured({ name: `${what}: exit status`, value: status, atMost: 0 });
        measured({ name: `${what}, s`, value: seconds, ...(isLong && { atMost: 1 }) });
        measured({ name: `${what}: bytes printed a step`, value: outputBytes / steps, atMost: 1_000 });
      }
      over.abort();
      await asking;
      latencies.sort((a, b) => a - b);
      measured({ name: `${shape}: other questions answered meanwhile`, value: latencies.length, atLeast: 4 });
      measured({ name: `${shape}: their 99th percentile, ms`, value: latencies[Math.floor(latencies.length * 0.99)]! });
      await serve.stop('SIGKILL');
    });
  }
}

async function sendSpans(
  serve: ServeProcess,
  count: number,
  fieldsOf: (index: number) => Parameters<typeof stepSpan>[0],
): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    const spans = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => stepSpan(fieldsOf(from + index)));
    const { status, text } = await send(`${serve.url}/v1/traces`, { body: traceRequest(spans) });
    if (status !== 200 || text !== '{}') throw new Error(`spans were answered ${status}: ${text}`);
  }
}

/** The names of all commands, as the help lists them. */
async function listCommands(): Promise<string[]> {
  const { output } = await runCommand(['--help']);
  const list = output.slice(output.indexOf('\nCommands:'));
  return [...list.matchAll(/^ {2}([a-z][a-z-]*) {2}/gm)].map(([, name]) => name!);
}

interface CommandRun {
  status: number;
  seconds: number;
  /** The most memory that the process held; Linux only. */
  peakMb: number;
  output: string;
  outputBytes: number;
}

function runCommand(words: readonly string[]): Promise<CommandRun> {
  const start = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  let [output, outputBytes, peakMb] = ['', 0, 0];
  const watch = setInterval(() => {
    try {
      peakMb = Math.max(peakMb, memoryOf(child).peakMb);
    } catch {
      // It has ended since.
    }
  }, 20);
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (output.length < 100_000) output += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(watch);
      resolve({ status: code ?? -1, seconds: (performance.now() - start) / 1_000, peakMb, output, outputBytes });
    });
  });
}

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackgroundProcess } from './background-process.ts';
import { findFreePorts } from './free-ports.ts';
import { binaryPath } from './programs/program.ts';
import type { Program } from './programs/program.ts';
import { collectorProgram, jaegerProgram, prometheusProgram, STACK_PORTS } from './stack-programs.ts';
import type { CollectorSettings, StackPorts, StackProgram } from './stack-programs.ts';
import { waitUntil } from './wait-until.ts';

/** What to start. */
export interface StackOptions extends CollectorSettings {
  /** @defaultValue all three */
  programs?: readonly Program['name'][];
  /** Where Jaeger keeps spans: in memory, or on disk as docker-compose.yml does. @defaultValue `'memory'` */
  storage?: 'memory' | 'badger';
  /** How many traces Jaeger holds in memory, which is also the most that one search may ask for. @defaultValue `100_000` */
  maxTraces?: number;
  /** How often Prometheus fetches metrics and evaluates rules. @defaultValue `'1s'` */
  scrapeInterval?: string;
  /** Ports to listen on; free ones where not given. */
  ports?: Partial<StackPorts>;
}

/** A running stack on 127.0.0.1, with a temporary folder of its own. */
export interface Stack {
  /** OTLP/HTTP of the collector, the `endpoint` of `startTracing`. */
  readonly otlpUrl: string;
  /** Every port, also those without an address of their own here, such as that of OTLP/gRPC. */
  readonly ports: StackPorts;
  readonly jaegerUrl: string;
  readonly prometheusUrl: string;
  /** What the collector says about itself, in Prometheus's format. */
  readonly collectorMetricsUrl: string;
  /** Holds all that the programs wrote: `collector-queue`, `jaeger`, `prometheus`, `*.log`. */
  readonly folder: string;
  /** All that the program has printed so far. */
  readLog(name: Program['name']): string;
  /** Kills the program as `kill -9` does. */
  kill(name: Program['name']): Promise<void>;
  /** Starts a killed program again, at the same addresses with the same files, and waits until it is ready. */
  restart(name: Program['name']): Promise<void>;
  /** Ends all programs and removes the folder. */
  stop(): Promise<void>;
}

const ALL: readonly Program['name'][] = ['jaeger', 'collector', 'prometheus'];
const READY_WITHIN_MS = 60_000;

/**
 * Starts the real programs with the repository's configuration files and waits until each is ready.
 * `npm run stack:build` must have built them.
 * @throws `Error` when one is not built, and with the program's last words when one does not get ready.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { programs = ALL, storage = 'memory', maxTraces = 100_000, scrapeInterval = '1s' } = options;
  const unbuilt = programs.filter((name) => !existsSync(binaryPath(name)));
  if (unbuilt.length > 0) throw new Error(`Not built yet: ${unbuilt.join(', ')}. Run \`npm run stack:build\`.`);
  const folder = await mkdtemp(join(tmpdir(), 'convotel-stack-'));
  const ports = await choosePorts(options.ports);
  const definitions: StackProgram[] = [];
  if (programs.includes('jaeger')) definitions.push(await jaegerProgram(folder, ports, { storage, maxTraces }));
  if (programs.includes('collector')) definitions.push(collectorProgram(folder, ports, options));
  if (programs.includes('prometheus')) definitions.push(await prometheusProgram(folder, ports, { scrapeInterval }));

  const running = new Map(
    definitions.map((program) => [program.name, { program, process: new BackgroundProcess(program) }]),
  );
  const find = (name: Program['name']): { program: StackProgram; process: BackgroundProcess } => {
    const found = running.get(name);
    if (found === undefined) throw new Error(`This stack was started without ${name}.`);
    return found;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map(({ process }) => process.stop()));
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await Promise.all([...running.values()].map(startAndWait));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    otlpUrl: `http://127.0.0.1:${ports.otlpHttp}`,
    ports,
    jaegerUrl: `http://127.0.0.1:${ports.jaegerQuery}`,
    prometheusUrl: `http://127.0.0.1:${ports.prometheus}`,
    collectorMetricsUrl: `http://127.0.0.1:${ports.collectorOwnMetrics}/metrics`,
    folder,
    readLog: (name) => find(name).process.readLog(),
    kill: (name) => find(name).process.end('SIGKILL'),
    restart: (name) => startAndWait(find(name)),
    stop,
  };
}

async function choosePorts(wanted: Partial<StackPorts> = {}): Promise<StackPorts> {
  const free = await findFreePorts(STACK_PORTS.length);
  const chosen = {} as Record<keyof StackPorts, number>;
  for (const [index, name] of STACK_PORTS.entries()) chosen[name] = wanted[name] ?? free[index]!;
  return chosen;
}

async function startAndWait({
  program,
  process,
}: {
  program: StackProgram;
  process: BackgroundProcess;
}): Promise<void> {
  process.start();
  let hasEnded = false;
  try {
    await waitUntil(
      `${program.name} to be ready`,
      async () => {
        hasEnded = !process.isRunning;
        return hasEnded || (await fetch(program.readinessUrl)).status === 200;
      },
      { timeoutMs: READY_WITHIN_MS },
    );
  } catch (error) {
    throw new Error(`${program.name} did not get ready. Its last words:\n${lastWords(process)}`, { cause: error });
  }
  if (hasEnded) throw new Error(`${program.name} ended at its start. Its last words:\n${lastWords(process)}`);
}

function lastWords(process: BackgroundProcess): string {
  return process.readLog().slice(-3000);
}

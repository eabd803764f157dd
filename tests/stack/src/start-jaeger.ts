import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackgroundProcess } from './background-process.ts';
import { findFreePorts } from './free-ports.ts';
import { jaegerProgram, STACK_PORTS } from './stack-programs.ts';
import type { StackPorts } from './stack-programs.ts';
import { waitForOk } from './wait-until.ts';

/** What to start. */
export interface JaegerOptions {
  storage: 'memory' | 'badger';
  /** As of `startStack`. */
  maxTraces: number;
}

/** A Jaeger alone, which takes spans by OTLP/HTTP without a collector in front. */
export interface Jaeger {
  /** OTLP/HTTP. */
  readonly otlpUrl: string;
  readonly queryUrl: string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** Starts Jaeger with the repository's configuration and a receiver more, and waits until it is ready. */
export async function startJaeger(options: JaegerOptions): Promise<Jaeger> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-jaeger-'));
  const [otlpHttp, ...free] = await findFreePorts(STACK_PORTS.length + 1);
  const ports = Object.fromEntries(STACK_PORTS.map((name, index) => [name, free[index]])) as unknown as StackPorts;
  const overlay = join(folder, 'jaeger-otlp-http.yaml');
  const http = { endpoint: `127.0.0.1:${otlpHttp}` };
  // JSON is YAML.
  await writeFile(overlay, JSON.stringify({ receivers: { otlp: { protocols: { http } } } }));
  const program = await jaegerProgram(folder, ports, options);
  const process = new BackgroundProcess({ ...program, words: [...program.words, '--config', overlay] });
  const stop = async (): Promise<void> => {
    await process.stop();
    await rm(folder, { recursive: true, force: true });
  };
  process.start();
  try {
    await waitForOk(program.readinessUrl, { timeoutMs: 60_000 });
  } catch (error) {
    const lastWords = process.readLog().slice(-3000);
    await stop();
    throw new Error(`Jaeger did not get ready. Its last words:\n${lastWords}`, { cause: error });
  }
  return { otlpUrl: `http://${http.endpoint}`, queryUrl: `http://127.0.0.1:${ports.jaegerQuery}`, stop };
}

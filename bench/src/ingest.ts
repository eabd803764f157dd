import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExporterCost } from './exporter-process.ts';
import type { Bench } from './figure.ts';
import type { SenderResult, SenderTask } from './ingest-sender.ts';
import { nextMessage, type ServeProcess, startScript, startServe } from './processes.ts';
import type { Encoding } from './request-template.ts';

const SENDERS = 2;
const SPANS_PER_PHASE = 1_000_000;
const PHASES: readonly Encoding[] = ['json', 'protobuf', 'json', 'protobuf', 'json'];
const ASKING_INTERVAL_MS = 25;

/** Ingest over loopback HTTP by two processes, with what it costs, and what others notice of it. */
export const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-bench-'));
  const storePath = join(folder, 'ingest.duckdb');
  const exporter = await measureExporter();
  const serve = await startServe(storePath);
  try {
    const asking = askMeanwhile(serve.url);
    const rates: Record<Encoding, number[]> = { json: [], protobuf: [] };
    const cpu: Record<Encoding, number[]> = { json: [], protobuf: [] };
    const residentBytes: number[] = [];
    let [sent, copied] = [0, 0];
    for (const [phase, encoding] of PHASES.entries()) {
      const before = await serve.use();
      const start = performance.now();
      const results = await sendAll(serve.url, encoding, phase);
      const seconds = (performance.now() - start) / 1000;
      const after = await serve.use();
      const phaseSpans = results.reduce((sum, result) => sum + result.newSpans + result.copiedSpans, 0);
      rates[encoding].push(phaseSpans / seconds);
      cpu[encoding].push((after.cpuMicros - before.cpuMicros) / phaseSpans);
      residentBytes.push(after.residentBytes);
      sent += results.reduce((sum, result) => sum + result.newSpans, 0);
      copied += results.reduce((sum, result) => sum + result.copiedSpans, 0);
    }
    const latencies = await asking.stop();
    await checkCounts(serve, sent, copied);

    const best = (values: readonly number[]): number => Math.max(...values);
    const least = (values: readonly number[]): number => Math.min(...values);
    const note = `${SENDERS} senders; ${sent} spans stored, ${copied} copies counted once, checked`;
    report({ name: 'ingest as JSON', value: best(rates.json), unit: 'spans/s', atLeast: 40_000, note });
    report({ name: 'ingest as protobuf', value: best(rates.protobuf), unit: 'spans/s', atLeast: 40_000 });
    report({ name: 'protobuf against JSON', value: best(rates.protobuf) / best(rates.json), unit: '×', atLeast: 1 });
    report({ name: 'CPU a span, stock exporter sending JSON', value: exporter.cpuMicrosPerSpan, unit: 'µs' });
    for (const encoding of ['json', 'protobuf'] as const) {
      report({
        name: `CPU a span, back end taking ${encoding}, against that`,
        value: least(cpu[encoding]) / exporter.cpuMicrosPerSpan,
        unit: '×',
        atMost: 3,
        note: `${least(cpu[encoding]).toFixed(1)} µs`,
      });
    }
    const [atOneMillion, atFiveMillion] = [residentBytes[0]!, residentBytes.at(-1)!];
    report({
      name: 'resident memory at 5 million spans − at 1 million',
      value: (atFiveMillion - atOneMillion) / 2 ** 20,
      unit: 'MiB',
      atMost: 50,
      note: residentBytes.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`).join(', '),
    });
    latencies.sort((a, b) => a - b);
    report({
      name: 'answers to others meanwhile, 99th percentile',
      value: latencies[Math.floor(latencies.length * 0.99)]!,
      unit: 'ms',
      atMost: 100,
      note: `${latencies.length} answers, median ${latencies[latencies.length >> 1]!.toFixed(1)} ms`,
    });
    await serve.stop();
    report({ name: 'disk after ingest', value: (await stat(storePath)).size / sent, unit: 'B/span', atMost: 60 });
  } finally {
    serve.child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
};

async function sendAll(url: string, encoding: Encoding, phase: number): Promise<SenderResult[]> {
  return Promise.all(
    Array.from({ length: SENDERS }, (_, sender) => {
      const task: SenderTask = {
        url,
        encoding,
        senderId: 1 + phase * SENDERS + sender,
        spanCount: SPANS_PER_PHASE / SENDERS,
      };
      return nextMessage<SenderResult>(startScript('ingest-sender', JSON.stringify(task)));
    }),
  );
}

async function checkCounts(serve: ServeProcess, sent: number, copied: number): Promise<void> {
  const health = (await (await fetch(`${serve.url}/healthz`)).json()) as Record<string, number>;
  if (health['storedSpans'] !== sent || health['receivedSpans'] !== sent + copied) {
    throw new Error(`sent ${sent} and ${copied} copies, but the back end says ${JSON.stringify(health)}`);
  }
}

/** Asks for its health and for recent conversations in turn, as another client would. */
function askMeanwhile(url: string): { stop(): Promise<number[]> } {
  const latencies: number[] = [];
  let isStopped = false;
  const asking = (async () => {
    for (let turn = 0; !isStopped; turn++) {
      const path = turn % 4 === 0 ? '/api/v1/conversations?order=newest&limit=10' : '/healthz';
      const start = performance.now();
      const response = await fetch(url + path);
      await response.text();
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      latencies.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, ASKING_INTERVAL_MS));
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await asking;
      return latencies;
    },
  };
}

/** What sending costs the program: the stock exporter in steady state, to somebody who takes everything. */
async function measureExporter(): Promise<ExporterCost> {
  const sink = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const { port } = sink.address() as AddressInfo;
  const cost = await nextMessage<ExporterCost>(startScript('exporter-process', `http://127.0.0.1:${port}`));
  sink.closeAllConnections();
  await new Promise((resolve) => sink.close(resolve));
  return cost;
}

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
/** In one phase others ask meanwhile; what answering them costs is no cost of a span, so it is not counted as such. */
const PHASES: readonly { encoding: Encoding; isAsked: boolean }[] = [
  { encoding: 'json', isAsked: false },
  { encoding: 'protobuf', isAsked: false },
  { encoding: 'json', isAsked: true },
  { encoding: 'protobuf', isAsked: false },
  { encoding: 'json', isAsked: false },
];
const ASKING_INTERVAL_MS = 25;
/** At this rate spans come in while others ask. */
const PACED_SPANS_PER_SECOND = 40_000;
/** What another client asks, each how many turns, and how long it may take. */
const ASKED = {
  health: { path: '/healthz', everyTurns: 1, atMostMs: 25 },
  'newest conversations': { path: '/api/v1/conversations?order=newest&limit=10', everyTurns: 4, atMostMs: 105 },
} as const;

/** Ingest over loopback HTTP by two processes, with what it costs, and what others notice of it. */
export const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-bench-'));
  const storePath = join(folder, 'ingest.duckdb');
  const exporter = await measureExporter();
  const serve = await startServe(storePath);
  try {
    const rates: Record<Encoding, number[]> = { json: [], protobuf: [] };
    const cpu: Record<Encoding, number[]> = { json: [], protobuf: [] };
    const residentBytes: number[] = [];
    let [askedRate, latencies]: [number, Latencies] = [0, {}];
    let [sent, copied] = [0, 0];
    for (const [phase, { encoding, isAsked }] of PHASES.entries()) {
      const asking = isAsked ? askMeanwhile(serve.url) : undefined;
      const before = await serve.use();
      const start = performance.now();
      const pace = isAsked ? PACED_SPANS_PER_SECOND : undefined;
      const results = await sendAll(serve.url, encoding, phase, pace);
      const seconds = (performance.now() - start) / 1000;
      const after = await serve.use();
      const phaseSpans = results.reduce((sum, result) => sum + result.newSpans + result.copiedSpans, 0);
      if (asking === undefined) {
        rates[encoding].push(phaseSpans / seconds);
        cpu[encoding].push((after.cpuMicros - before.cpuMicros) / phaseSpans);
      } else {
        askedRate = phaseSpans / seconds;
        latencies = await asking.stop();
      }
      residentBytes.push(after.residentBytes);
      sent += results.reduce((sum, result) => sum + result.newSpans, 0);
      copied += results.reduce((sum, result) => sum + result.copiedSpans, 0);
    }
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
    for (const [name, values] of Object.entries(latencies)) {
      values.sort((a, b) => a - b);
      report({
        name: `answers to others meanwhile, ${name}, 99th percentile`,
        value: values[Math.floor(values.length * 0.99)]!,
        unit: 'ms',
        atMost: ASKED[name as keyof typeof ASKED].atMostMs,
        note: `${values.length} answers, median ${values[values.length >> 1]!.toFixed(1)} ms, at ${askedRate.toFixed(0)} of ${PACED_SPANS_PER_SECOND} spans/s`,
      });
    }
    await serve.stop();
    report({ name: 'disk after ingest', value: (await stat(storePath)).size / sent, unit: 'B/span', atMost: 60 });
  } finally {
    serve.child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
};

async function sendAll(
  url: string,
  encoding: Encoding,
  phase: number,
  spansPerSecond: number | undefined,
): Promise<SenderResult[]> {
  return Promise.all(
    Array.from({ length: SENDERS }, (_, sender) => {
      const task: SenderTask = {
        url,
        encoding,
        senderId: 1 + phase * SENDERS + sender,
        spanCount: SPANS_PER_PHASE / SENDERS,
        ...(spansPerSecond !== undefined && { spansPerSecond: spansPerSecond / SENDERS }),
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

/** Milliseconds until each answer, by what was asked. */
type Latencies = Record<string, number[]>;

/** Asks as another client would: one thing after another, with a pause in between. */
function askMeanwhile(url: string): { stop(): Promise<Latencies> } {
  const latencies: Latencies = {};
  let isStopped = false;
  const asking = (async () => {
    for (let turn = 0; !isStopped; turn++) {
      for (const [name, { path, everyTurns }] of Object.entries(ASKED)) {
        if (turn % everyTurns !== 0) continue;
        const start = performance.now();
        const response = await fetch(url + path);
        await response.text();
        if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
        (latencies[name] ??= []).push(performance.now() - start);
      }
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

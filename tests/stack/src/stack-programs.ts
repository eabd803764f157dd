import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackgroundProcessOptions } from './background-process.ts';
import { binaryPath } from './programs/program.ts';
import type { Program } from './programs/program.ts';

/** Addresses of one running stack, all on 127.0.0.1. */
export interface StackPorts {
  otlpHttp: number;
  otlpGrpc: number;
  collectorHealth: number;
  /** Where Prometheus fetches the metrics of spans and programs. */
  collectorPrometheus: number;
  collectorOwnMetrics: number;
  jaegerOtlp: number;
  jaegerQuery: number;
  jaegerQueryGrpc: number;
  jaegerHealth: number;
  prometheus: number;
}

/** Keys of {@link StackPorts}, for whoever finds free ones. */
export const STACK_PORTS = [
  'otlpHttp',
  'otlpGrpc',
  'collectorHealth',
  'collectorPrometheus',
  'collectorOwnMetrics',
  'jaegerOtlp',
  'jaegerQuery',
  'jaegerQueryGrpc',
  'jaegerHealth',
  'prometheus',
] as const satisfies readonly (keyof StackPorts)[];

/** One program of the stack, ready to be started. */
export interface StackProgram extends BackgroundProcessOptions {
  name: Program['name'];
  /** Answers 200 when the program is ready. */
  readinessUrl: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OVERLAYS = fileURLToPath(new URL('../overlays/', import.meta.url));

/** The collector with the repository's configuration, and `overlays` after it. */
export function collectorProgram(
  folder: string,
  ports: StackPorts,
  { overlays = [], alsoSendTo, environment = {} }: CollectorSettings,
): StackProgram {
  const files = [join(ROOT, 'collector-config/collector.yaml'), ...overlays];
  if (alsoSendTo !== undefined) files.push(join(OVERLAYS, 'also-send-to.yaml'));
  return {
    name: 'collector',
    command: binaryPath('collector'),
    words: files.flatMap((file) => ['--config', file]),
    environment: {
      COLLECTOR_HTTP_ADDRESS: loopback(ports.otlpHttp),
      COLLECTOR_GRPC_ADDRESS: loopback(ports.otlpGrpc),
      COLLECTOR_HEALTH_ADDRESS: loopback(ports.collectorHealth),
      COLLECTOR_PROMETHEUS_ADDRESS: loopback(ports.collectorPrometheus),
      COLLECTOR_OWN_METRICS_HOST: '127.0.0.1',
      COLLECTOR_OWN_METRICS_PORT: String(ports.collectorOwnMetrics),
      COLLECTOR_QUEUE_FOLDER: join(folder, 'collector-queue'),
      COLLECTOR_METRICS_INTERVAL: '2s',
      JAEGER_OTLP_ADDRESS: loopback(ports.jaegerOtlp),
      ...(alsoSendTo === undefined ? {} : { SECOND_BACK_END: alsoSendTo }),
      ...environment,
    },
    logPath: join(folder, 'collector.log'),
    readinessUrl: `http://${loopback(ports.collectorHealth)}/`,
  };
}

/** What a test may want of the collector beyond its usual configuration. */
export interface CollectorSettings {
  /** Paths of configuration files that are merged after `collector.yaml`, in order. */
  overlays?: readonly string[];
  /** OTLP/HTTP address of a back end that gets every span too. */
  alsoSendTo?: string;
  /** Further variables that `collector.yaml` reads. */
  environment?: Readonly<Record<string, string>>;
}

/** Jaeger with the repository's configuration; `memory` storage is laid over it. */
export async function jaegerProgram(
  folder: string,
  ports: StackPorts,
  { storage, maxTraces }: { storage: 'memory' | 'badger'; maxTraces: number },
): Promise<StackProgram> {
  const files = [join(ROOT, 'stack/jaeger/config.yaml')];
  if (storage === 'memory') {
    const overlay = join(folder, 'jaeger-memory.yaml');
    const backend = { badger: null, memory: { max_traces: maxTraces } };
    // JSON is YAML.
    await writeFile(overlay, JSON.stringify({ extensions: { jaeger_storage: { backends: { traces: backend } } } }));
    files.push(overlay);
  }
  return {
    name: 'jaeger',
    command: binaryPath('jaeger'),
    words: files.flatMap((file) => ['--config', file]),
    environment: {
      JAEGER_HEALTH_ADDRESS: loopback(ports.jaegerHealth),
      JAEGER_QUERY_ADDRESS: loopback(ports.jaegerQuery),
      JAEGER_QUERY_GRPC_ADDRESS: loopback(ports.jaegerQueryGrpc),
      JAEGER_OTLP_ADDRESS: loopback(ports.jaegerOtlp),
      JAEGER_DATA_FOLDER: join(folder, 'jaeger'),
      // Or it traces itself.
      OTEL_TRACES_SAMPLER: 'always_off',
    },
    logPath: join(folder, 'jaeger.log'),
    readinessUrl: `http://${loopback(ports.jaegerHealth)}/status`,
  };
}

/** Prometheus with the repository's configuration and rules, its targets and intervals replaced: it reads no variables. */
export async function prometheusProgram(
  folder: string,
  ports: StackPorts,
  { scrapeInterval }: { scrapeInterval: string },
): Promise<StackProgram> {
  const configFolder = join(folder, 'prometheus-config');
  await mkdir(configFolder, { recursive: true });
  await cp(join(ROOT, 'stack/prometheus'), configFolder, { recursive: true });
  const configPath = join(configFolder, 'prometheus.yml');
  let config = await readFile(configPath, 'utf8');
  for (const [pattern, replacement] of [
    [/collector:8889/g, loopback(ports.collectorPrometheus)],
    [/collector:8888/g, loopback(ports.collectorOwnMetrics)],
    [/(?<=(scrape|evaluation)_interval: )\w+/g, scrapeInterval],
  ] as const) {
    const replaced = config.replace(pattern, replacement);
    if (replaced === config) throw new Error(`stack/prometheus/prometheus.yml holds nothing like ${pattern} any more.`);
    config = replaced;
  }
  await writeFile(configPath, config);
  return {
    name: 'prometheus',
    command: binaryPath('prometheus'),
    words: [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=${loopback(ports.prometheus)}`,
      '--enable-feature=exemplar-storage,created-timestamp-zero-ingestion',
    ],
    environment: {},
    logPath: join(folder, 'prometheus.log'),
    readinessUrl: `http://${loopback(ports.prometheus)}/-/ready`,
  };
}

function loopback(port: number): string {
  return `127.0.0.1:${port}`;
}

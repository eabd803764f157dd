import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { generateSpans } from './generate-spans.ts';

/** What the stock exporter's process reports: CPU time for one span, in microseconds. */
export interface ExporterCost {
  cpuMicrosPerSpan: number;
}

const SPANS_PER_BATCH = 512;
const WARMUP_BATCHES = 60;
const BATCHES = 300;

const exporter = new OTLPTraceExporter({ url: `${process.argv[2]!}/v1/traces` });
const spans = generateSpans(SPANS_PER_BATCH, 1_760_000_000_000, 20);
const send = (): Promise<void> =>
  new Promise((resolve, reject) => {
    exporter.export(spans, ({ code, error }) => (code === 0 ? resolve() : reject(error ?? new Error('not exported'))));
  });
for (let batch = 0; batch < WARMUP_BATCHES; batch++) await send();
const before = process.cpuUsage();
for (let batch = 0; batch < BATCHES; batch++) await send();
const { user, system } = process.cpuUsage(before);
const cost: ExporterCost = { cpuMicrosPerSpan: (user + system) / (BATCHES * SPANS_PER_BATCH) };
process.send!(cost);
await exporter.shutdown();
process.disconnect();

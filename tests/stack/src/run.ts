import { startTracing } from '@convotel/sdk';
import { planHistory, recordHistory } from 'convotel';
import { isPortFree } from './free-ports.ts';
import type { StackPorts } from './stack-programs.ts';
import { startStack } from './start-stack.ts';

/** The ports of docker-compose.yml; where one is taken, a free one serves. */
const USUAL_PORTS: Partial<StackPorts> = { otlpHttp: 4318, otlpGrpc: 4317, jaegerQuery: 16686, prometheus: 9090 };

/** `npm run stack`: the stack for a person, with the demo's week in it, until Ctrl-C. */
const interrupted = new Promise<void>((resolve) => {
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
});
const ports: Partial<StackPorts> = {};
for (const [name, port] of Object.entries(USUAL_PORTS) as [keyof StackPorts, number][]) {
  if (await isPortFree(port)) ports[name] = port;
}
// Handed over as often as it is fetched, so that every exemplar is seen.
const environment = { COLLECTOR_METRICS_INTERVAL: '5s' };
const stack = await startStack({ ports, scrapeInterval: '5s', environment });
try {
  const conversations = await loadDemo(stack.otlpUrl);
  process.stdout.write(
    [
      '',
      `OTLP/HTTP    ${stack.otlpUrl}`,
      `OTLP/gRPC    127.0.0.1:${stack.ports.otlpGrpc}`,
      `Jaeger API   ${stack.jaegerUrl}`,
      `Prometheus   ${stack.prometheusUrl}`,
      `Files, logs  ${stack.folder} (removed at the end)`,
      '',
      `${conversations} made-up conversations of the past week are in it. In another terminal, try:`,
      '',
      `  npx convotel averages --since 7d --from ${stack.jaegerUrl}`,
      `  OTEL_EXPORTER_OTLP_ENDPOINT=${stack.otlpUrl} node your-program.js`,
      '',
      'Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
  await interrupted;
} finally {
  await stack.stop();
}

/** Sends the demo's made-up week; how many conversations that are. */
async function loadDemo(endpoint: string): Promise<number> {
  const tracing = startTracing({ serviceName: 'convotel-demo', endpoint });
  const { conversations } = planHistory(Date.now());
  recordHistory(conversations);
  const { undeliveredSpans, problem } = await tracing.shutdown();
  if (undeliveredSpans > 0) throw new Error(`The collector did not take the demo's spans: ${problem}`);
  return conversations.length;
}

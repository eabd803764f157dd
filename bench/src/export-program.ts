import { monitorEventLoopDelay } from 'node:perf_hooks';
import { startTracing } from '@convotel/sdk';
import { startConversation } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

/** A program of its own: `<stock|convotel> <steady|burst|exit> <address> <folder>`; tells what a step cost it. */
const [kind, mode, url, folder] = process.argv.slice(2) as [string, string, string, string];
const STEPS_PER_SECOND = 5000;
const SECONDS = 6;

interface Subject {
  step(): void;
  stop(): Promise<unknown>;
}

function stock(): Subject {
  const provider = new NodeTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
  });
  provider.register();
  const tracer = provider.getTracer('bench');
  const root = trace.setSpan(context.active(), tracer.startSpan('conversation'));
  const attributes = { 'conversation.id': 'bench', 'conversation.step.name': 'think', 'gen_ai.operation.name': 'chat' };
  return {
    step: () =>
      context.with(root, () =>
        tracer.startActiveSpan('think', { attributes }, (span) => {
          span.setAttribute('conversation.outcome', 'completed');
          span.end();
        }),
      ),
    stop: () => provider.shutdown(),
  };
}

function convotel(): Subject {
  const tracing = startTracing({ serviceName: 'bench', endpoint: url, metrics: false, journal: { folder } });
  const conversation = startConversation({ conversationId: 'bench' });
  return {
    step: () => conversation.step('think', () => undefined),
    stop: () => tracing.shutdown({ deadlineMs: 60_000 }),
  };
}

const subject = kind === 'stock' ? stock() : convotel();
if (mode === 'burst') {
  for (let step = 0; step < 100_000; step += 1) subject.step();
  await subject.stop();
} else if (mode === 'exit') {
  for (let step = 0; step < 100; step += 1) subject.step();
  process.exit(0);
} else {
  for (let step = 0; step < STEPS_PER_SECOND; step += 1) subject.step();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const startMs = performance.now();
  let done = 0;
  while (performance.now() - startMs < SECONDS * 1000) {
    const due = ((performance.now() - startMs) / 1000) * STEPS_PER_SECOND;
    for (; done < due; done += 1) subject.step();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  process.send?.({ cpuUs: (user + system) / done, delayMs: delay.percentile(99) / 1e6 });
  await subject.stop();
  process.disconnect?.();
}

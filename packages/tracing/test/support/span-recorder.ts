import { context, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** The finished spans of a real provider that is registered for the length of a test file. */
export interface SpanRecorder {
  provider: NodeTracerProvider;
  /** Finished spans, oldest end first. */
  spans(): ReadableSpan[];
  /** The finished spans of this name. */
  named(name: string): ReadableSpan[];
  /** The only finished span of this name. */
  only(name: string): ReadableSpan;
  /** Attributes of the only finished span of this name. */
  attributesOf(name: string): Attributes;
  forget(): void;
}

export function recordSpans(): SpanRecorder {
  trace.disable();
  context.disable();
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  const named = (name: string): ReadableSpan[] => spans().filter((span) => span.name === name);
  const only = (name: string): ReadableSpan => {
    const found = named(name);
    if (found.length !== 1) throw new Error(`expected one span named ${name}, found ${found.length}`);
    return found[0]!;
  };
  return {
    provider,
    spans,
    named,
    only,
    attributesOf: (name) => only(name).attributes,
    forget: () => exporter.reset(),
  };
}

/** Milliseconds between two of OpenTelemetry's times. */
export function msOf([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

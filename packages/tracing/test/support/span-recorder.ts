import { setTimeout as sleep } from 'node:timers/promises';
import { processRegistry } from '@convotel/conventions';
import { context, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, Sampler } from '@opentelemetry/sdk-trace-node';

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
  /** Warnings for the program's author, each kind once since the last `forget()`. */
  warnings: string[];
  forget(): void;
}

export function recordSpans(sampler: Sampler = new AlwaysOnSampler()): SpanRecorder {
  trace.disable();
  context.disable();
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  const { settings, warned } = processRegistry();
  const warnings: string[] = [];
  settings.warn = (message) => void warnings.push(message);
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
    warnings,
    forget: () => {
      exporter.reset();
      warnings.length = 0;
      warned.clear();
    },
  };
}

/** Milliseconds between two of OpenTelemetry's times. */
export function msOf([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Waits until `isTrue`, for at most 10 s. Uses the real clock, also under fake timers. */
export async function eventually(isTrue: () => boolean): Promise<void> {
  const deadlineMs = realNow() + 10_000;
  while (!isTrue()) {
    if (realNow() > deadlineMs) throw new Error(`not true within 10 s: ${isTrue.toString()}`);
    await sleep(5);
  }
}

const realNow = Date.now.bind(Date);

import { randomBytes, randomInt } from 'node:crypto';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { conversationIdsOf, newConversationId } from '@convotel/conventions';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

const SCOPE = { name: '@convotel/tracing', version: '0.1.0' };
const RESOURCE = resourceFromAttributes({
  'service.name': 'voice-bot',
  'service.instance.id': 'a1b2c3d4-0000-4000-8000-000000000000',
  'telemetry.sdk.name': 'opentelemetry',
  'telemetry.sdk.language': 'nodejs',
  'telemetry.sdk.version': '2.12.0',
});

/** Mean duration of each step, in ms. */
const STEPS = { request: 150, stt: 1200, gpt: 3400, tts: 1350, response: 450 } as const;

/** One conversation as the SDK hands it to an exporter, with ids of its own; it starts at `startMs` (Unix). */
export function generateConversation(startMs: number): ReadableSpan[] {
  const conversationId = newConversationId(() => new Date(startMs));
  const { traceId, rootSpanId } = conversationIdsOf(conversationId);
  const spans: ReadableSpan[] = [];
  const isFailed = randomInt(50) === 0;
  let atMs = startMs;
  for (const [step, meanMs] of Object.entries(STEPS)) {
    const durationMs = meanMs * (0.4 + (randomInt(1_000_000) / 1_000_000) * 1.2);
    const failsHere = isFailed && step === 'gpt';
    spans.push(
      span(traceId, randomBytes(8).toString('hex'), rootSpanId, step, atMs, durationMs, failsHere, {
        'conversation.id': conversationId,
        'conversation.step.name': step,
        ...(step === 'gpt' && {
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': 'gpt-5',
          'gen_ai.usage.input_tokens': randomInt(20, 900),
          'gen_ai.usage.output_tokens': randomInt(10, 400),
        }),
        ...(step !== 'request' && { 'conversation.input.chars': randomInt(5, 400) }),
        ...(step !== 'response' && { 'conversation.output.chars': randomInt(5, 900) }),
        ...(step === 'tts' && { 'conversation.step.timing.queue_wait': randomInt(200_000) / 1e6 }),
        'conversation.outcome': failsHere ? 'failed' : 'completed',
        ...(failsHere && { 'error.type': 'RateLimitError' }),
      }),
    );
    atMs += durationMs + 10;
    if (failsHere) break;
  }
  spans.push(
    span(traceId, rootSpanId, undefined, 'conversation', startMs, atMs - startMs, isFailed, {
      'conversation.id': conversationId,
      'conversation.schema.version': '1',
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': 'voice',
      'conversation.outcome': isFailed ? 'failed' : 'completed',
    }),
  );
  return spans;
}

function span(
  traceId: string,
  spanId: string,
  parentSpanId: string | undefined,
  name: string,
  startMs: number,
  durationMs: number,
  isFailed: boolean,
  attributes: ReadableSpan['attributes'],
): ReadableSpan {
  const context = (id: string): ReturnType<ReadableSpan['spanContext']> => ({ traceId, spanId: id, traceFlags: 1 });
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => context(spanId),
    ...(parentSpanId !== undefined && { parentSpanContext: context(parentSpanId) }),
    startTime: hrTime(startMs),
    endTime: hrTime(startMs + durationMs),
    duration: hrTime(durationMs),
    status: isFailed ? { code: SpanStatusCode.ERROR, message: 'API rate limit exceeded' } : { code: 0 },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

/** Conversations one after another, from `startMs` on, until there are at least `spanCount` spans. */
export function generateSpans(spanCount: number, startMs: number, gapMs: number): ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  for (let atMs = startMs; spans.length < spanCount; atMs += gapMs) spans.push(...generateConversation(atMs));
  return spans.slice(0, spanCount);
}

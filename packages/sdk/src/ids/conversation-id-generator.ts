import { conversationIdsOf, processRegistry } from '@convotel/conventions';
import type { ConversationIds, WantedRoot } from '@convotel/conventions';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace-node';
import type { IdGenerator } from '@opentelemetry/sdk-trace-node';

/**
 * Makes random ids, except for the root span of a conversation, whose ids follow from the conversation id, or were
 * handed over by another process. `startTracing` uses it; a provider of the program's own gets it as `idGenerator`, so
 * that its conversations can be joined by their ids and handed off.
 *
 * An SDK asks for ids while it starts a span, so `@convotel/tracing` says just before which root it wants.
 */
export class ConversationIdGenerator implements IdGenerator {
  readonly #random = new RandomIdGenerator();

  generateTraceId = (): string => {
    const wanted = processRegistry().wantedRoot;
    if (wanted === undefined || wanted.isTraceIdTaken) return this.#random.generateTraceId();
    wanted.isTraceIdTaken = true;
    return idsOf(wanted).traceId;
  };

  generateSpanId = (): string => {
    const wanted = processRegistry().wantedRoot;
    if (wanted === undefined || wanted.isSpanIdTaken) return this.#random.generateSpanId();
    wanted.isSpanIdTaken = true;
    return idsOf(wanted).rootSpanId;
  };
}

function idsOf(wanted: WantedRoot): ConversationIds {
  return (wanted.ids ??= conversationIdsOf(wanted.conversationId));
}

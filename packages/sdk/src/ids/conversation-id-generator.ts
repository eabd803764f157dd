import type { ConversationIds } from '@convotel/conventions';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace-node';
import type { IdGenerator } from '@opentelemetry/sdk-trace-node';

/**
 * Makes random ids, except for the one root span whose ids are wanted.
 * The SDK asks for ids synchronously while it starts a span, so they are set just before and cleared just after.
 */
export class ConversationIdGenerator implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #wanted: ConversationIds | undefined;

  /** Calls `startRoot` with `ids` as the ids of the first root span that it starts. */
  withIds<Result>(ids: ConversationIds, startRoot: () => Result): Result {
    this.#wanted = ids;
    try {
      return startRoot();
    } finally {
      this.#wanted = undefined;
    }
  }

  generateTraceId = (): string => this.#wanted?.traceId ?? this.#random.generateTraceId();

  generateSpanId = (): string => this.#wanted?.rootSpanId ?? this.#random.generateSpanId();
}

import { ATTRIBUTE, CONVERSATION_SPAN_NAME, isConversationId, processRegistry } from '@convotel/conventions';
import { context as contextApi, trace } from '@opentelemetry/api';
import type { Context, Span, SpanOptions, Tracer, TracerOptions } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { ConversationIdGenerator } from './conversation-id-generator.ts';
import { ConversationSampler } from './conversation-sampler.ts';
import { RecentConversationIds } from './recent-conversation-ids.ts';

/** What a {@link NodeTracerProvider} is told, but for the ids, which are made here. */
export type ConversationTracerProviderConfig = Omit<
  NonNullable<ConstructorParameters<typeof NodeTracerProvider>[0]>,
  'idGenerator'
>;

/**
 * Gives a conversation's root span the ids that follow from its conversation id, whoever starts it: a root span named
 * `conversation` that has `conversation.id` set at start. All other ids are random.
 */
export class ConversationTracerProvider extends NodeTracerProvider {
  readonly #recent = new RecentConversationIds();
  readonly #warn: (message: string) => void;

  constructor(config: ConversationTracerProviderConfig, warn: (message: string) => void) {
    const sampler = new ConversationSampler(config.sampler);
    super({ ...config, sampler, idGenerator: new ConversationIdGenerator() });
    this.#warn = warn;
  }

  override getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const tracer = super.getTracer(name, version, options);
    return new ConversationTracer(tracer, (conversationId, startRoot) => this.#startRoot(conversationId, startRoot));
  }

  #startRoot(givenId: string, startRoot: () => Span): Span {
    const registry = processRegistry();
    const conversationId = registry.settings.replaceId?.(givenId) ?? givenId;
    const isHandedOver = registry.wantedRoot?.ids !== undefined;
    if (!isHandedOver && !this.#recent.add(conversationId)) {
      this.#warn(
        `convotel: a second conversation began with the id ${JSON.stringify(conversationId)}; answers show both as one. ` +
          'Add steps to a conversation with joinConversation(), and group exchanges of one user by sessionId.',
      );
    }
    // Set already when the root is started by `@convotel/tracing`.
    if (registry.wantedRoot !== undefined) return startRoot();
    registry.wantedRoot = { conversationId, isTraceIdTaken: false, isSpanIdTaken: false };
    try {
      return startRoot();
    } finally {
      registry.wantedRoot = undefined;
    }
  }
}

class ConversationTracer implements Tracer {
  readonly #inner: Tracer;
  readonly #startRoot: (conversationId: string, startRoot: () => Span) => Span;

  constructor(inner: Tracer, startRoot: (conversationId: string, startRoot: () => Span) => Span) {
    this.#inner = inner;
    this.#startRoot = startRoot;
  }

  startSpan(name: string, options?: SpanOptions, context: Context = contextApi.active()): Span {
    if (name === CONVERSATION_SPAN_NAME) {
      const conversationId = options?.attributes?.[ATTRIBUTE.conversationId];
      if (isConversationId(conversationId) && isRoot(options, context)) {
        return this.#startRoot(conversationId, () => this.#inner.startSpan(name, options, context));
      }
    }
    return this.#inner.startSpan(name, options, context);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, run: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(name: string, options: SpanOptions, run: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    run: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const run = rest.at(-1) as F;
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {};
    const parent = rest.length > 2 ? (rest[1] as Context) : contextApi.active();
    const span = this.startSpan(name, options, parent);
    return contextApi.with(trace.setSpan(parent, span), run as (span: Span) => ReturnType<F>, undefined, span);
  }
}

function isRoot(options: SpanOptions | undefined, context: Context): boolean {
  if (options?.root === true) return true;
  const parent = trace.getSpanContext(context);
  return parent === undefined || !trace.isSpanContextValid(parent);
}

import {
  ATTRIBUTE,
  CONVERSATION_SPAN_NAME,
  conversationIdsOf,
  isConversationId,
  processRegistry,
} from '@convotel/conventions';
import type { ConversationIds, WantedRoot } from '@convotel/conventions';
import { context as contextApi, createContextKey, diag, trace } from '@opentelemetry/api';
import type { Context, Span, SpanOptions, Tracer, TracerOptions } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  NodeTracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { IdGenerator, Sampler } from '@opentelemetry/sdk-trace-node';
import { VariableReader } from '../settings/variables.ts';

/** The configuration of a {@link NodeTracerProvider}, without the id generator. */
export type ConversationTracerProviderConfig = Omit<
  NonNullable<ConstructorParameters<typeof NodeTracerProvider>[0]>,
  'idGenerator'
>;

/**
 * Derives the trace and span id of a conversation's root span from its conversation id, whichever library starts it. A
 * root span belongs to a conversation if it is named `conversation` and has `conversation.id` set at start. All other
 * ids are random.
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
    // `@convotel/tracing` has already set the ids of the root that it is starting.
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

/** A bounded set of the latest conversation ids of this process, to detect an id that is used twice. */
export class RecentConversationIds {
  readonly #ids = new Set<string>();
  readonly #capacity: number;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  /** Returns false if `id` is already in the set. Removes the oldest if there are too many. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#capacity) {
      const [oldest] = this.#ids;
      this.#ids.delete(oldest!);
    }
    return true;
  }
}

/**
 * Generates random ids, except for the root span of a conversation, whose ids are derived from the conversation id or
 * were passed by another process. `startTracing` uses it; pass it to your own provider as `idGenerator`, so that its
 * conversations can be joined by their ids and handed off.
 *
 * `@convotel/tracing` sets the ids just before it starts a root span, because the SDK calls the generator during that.
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

/** Set by `@convotel/tracing` on a step whose conversation was joined by its id alone. */
const SAMPLE_AS_ROOT = createContextKey('convotel sample as root');

/**
 * Delegates to `inner`, so that all processes make the same decision for a conversation that is joined by its id alone.
 * Such a process does not know whether the root was sampled, so `inner` decides by the trace id, as it did for the root.
 */
export class ConversationSampler implements Sampler {
  readonly #inner: Sampler;

  /** @param inner Default: the sampler of `OTEL_TRACES_SAMPLER`. */
  constructor(inner: Sampler = samplerFromEnvironment()) {
    this.#inner = inner;
  }

  shouldSample(context: Context, ...rest: ShouldSampleRest): ReturnType<Sampler['shouldSample']> {
    const isRootUnknown = context.getValue(SAMPLE_AS_ROOT) === true;
    return this.#inner.shouldSample(isRootUnknown ? trace.deleteSpan(context) : context, ...rest);
  }

  toString(): string {
    return `ConversationSampler{${this.#inner.toString()}}`;
  }
}

type ShouldSampleRest = Parameters<Sampler['shouldSample']> extends [Context, ...infer Rest] ? Rest : never;

/** The sampler that the SDK uses when none is given (OpenTelemetry specification, `OTEL_TRACES_SAMPLER`). */
function samplerFromEnvironment(): Sampler {
  const variables = new VariableReader(process.env);
  const name = variables.text('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? 'parentbased_always_on';
  const root = rootSamplerOf(name.replace(/^parentbased_/, ''), variables);
  if (root === undefined) {
    diag.error(`convotel: OTEL_TRACES_SAMPLER "${name}" is unknown; every conversation is kept`);
    return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSamplerOf(name: string, variables: VariableReader): Sampler | undefined {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio': {
      const ratio = Number(variables.text('OTEL_TRACES_SAMPLER_ARG') ?? 1);
      return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
    }
    default:
      return undefined;
  }
}

import { randomBytes } from 'node:crypto';
import { SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import type {
  Attributes,
  AttributeValue,
  Context,
  Link,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  TimeInput,
  Tracer,
  TracerProvider,
} from '@opentelemetry/api';
import { conversationIdsOf, processRegistry } from '@convotel/conventions';
import { epochMsOf, epochNowMs } from '../guards/times.ts';

/** A provider that keeps spans in memory and needs no SDK. Its clock is the program's, also where that is a fake one. */
export class RecordingProvider implements TracerProvider {
  /** In order of start; open ones too. */
  spans: RecordingSpan[] = [];

  getTracer(): Tracer {
    const startSpan: Tracer['startSpan'] = (name, options = {}, context) => this.#startSpan(name, options, context);
    return {
      startSpan,
      startActiveSpan: () => {
        throw new Error('The tracer of recordConversations() starts the spans of convotel only.');
      },
    };
  }

  #startSpan(name: string, options: SpanOptions, context: Context | undefined): RecordingSpan {
    const parent = options.root === true || context === undefined ? undefined : trace.getSpan(context);
    const span = new RecordingSpan(name, options, parent);
    this.spans.push(span);
    return span;
  }
}

/** One span, as it was started and ended. */
export class RecordingSpan implements Span {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes = {};
  readonly links: Link[] = [];
  readonly startMs: number;
  /** Where it was started in this process; a span of another process is known by its ids only. */
  readonly parent: RecordingSpan | undefined;
  readonly parentContext: SpanContext | undefined;
  endMs: number | undefined;
  status: SpanStatus | undefined;
  readonly #context: SpanContext;

  constructor(name: string, options: SpanOptions, parent: Span | undefined) {
    this.name = name;
    this.kind = options.kind ?? SpanKind.INTERNAL;
    this.parent = parent instanceof RecordingSpan ? parent : undefined;
    this.parentContext = parent?.spanContext();
    this.#context = contextFor(this.parentContext);
    this.startMs = epochMsFromInput(options.startTime) ?? epochNowMs();
    this.setAttributes(options.attributes ?? {});
    this.addLinks(options.links ?? []);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  setAttribute(name: string, value: AttributeValue): this {
    if (this.endMs === undefined) this.attributes[name] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(name, value);
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(link: Link): this {
    this.links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.links.push(...links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }

  updateName(): this {
    return this;
  }

  end(endTime?: TimeInput): void {
    this.endMs ??= epochMsFromInput(endTime) ?? epochNowMs();
  }

  isRecording(): boolean {
    return this.endMs === undefined;
  }

  recordException(): void {}
}

/** The ids of a conversation follow from its id, as they do with `startTracing`, so that it can be joined in a test. */
function contextFor(parent: SpanContext | undefined): SpanContext {
  const wanted = processRegistry().wantedRoot;
  const ids = wanted === undefined ? undefined : (wanted.ids ?? conversationIdsOf(wanted.conversationId));
  return {
    traceId: parent?.traceId ?? ids?.traceId ?? randomBytes(16).toString('hex'),
    spanId: (parent === undefined ? ids?.rootSpanId : undefined) ?? randomBytes(8).toString('hex'),
    traceFlags: TraceFlags.SAMPLED,
  };
}

/** Only of times as convotel gives them: seconds and nanoseconds, or a reading of `performance.now()`. */
function epochMsFromInput(time: TimeInput | undefined): number | undefined {
  if (typeof time === 'number') return epochMsOf(time);
  return Array.isArray(time) ? time[0] * 1000 + time[1] / 1e6 : undefined;
}

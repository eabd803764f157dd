import {
  ATTRIBUTE,
  CONVERSATION_SPAN_NAME,
  DURATION_BUCKET_BOUNDS_SECONDS,
  METRIC,
  METRIC_ATTRIBUTE,
  processRegistry,
  STEP_TIMING_PREFIX,
} from '@convotel/conventions';
import { trace } from '@opentelemetry/api';
import type { Attributes, Context, Histogram, Meter } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { redactFamiliarText } from '../redaction/patterns.ts';

/** Options of {@link ConversationMetrics}. */
export interface ConversationMetricsOptions {
  /** Whether durations are recorded too. @defaultValue `false` */
  durations?: boolean;
}

/**
 * Derives conversation metrics from spans, so that the code that creates the spans needs no metrics API. Active
 * conversations and steps are counted in plain integers that are read at collection. A span's counters are attached to
 * the span itself, so spans that never end, end late or are not sampled leak nothing.
 */
export class ConversationMetrics implements SpanProcessor {
  readonly #table = new SeriesTable();
  readonly #conversations = new WeakMap<object, WorkflowSeries>();
  readonly #steps = new WeakMap<object, StepSeries>();
  readonly #answered = new RecentTraces();
  readonly #timeToFirstOutput: Histogram;
  readonly #responseLatency: Histogram;
  readonly #stepTiming: Histogram;
  readonly #durations: { conversation: Histogram; step: Histogram } | undefined;

  constructor(meter: Meter, options: ConversationMetricsOptions = {}) {
    const histogram = (name: string, description: string): Histogram =>
      meter.createHistogram(name, {
        description,
        unit: 's',
        advice: { explicitBucketBoundaries: [...DURATION_BUCKET_BOUNDS_SECONDS] },
      });
    this.#timeToFirstOutput = histogram(METRIC.timeToFirstOutput, 'From the start of a step to its first output');
    this.#responseLatency = histogram(METRIC.responseLatency, "From the end of the user's input to the first output");
    this.#stepTiming = histogram(METRIC.stepTiming, 'Length of a named part of a step');
    this.#durations =
      options.durations === true
        ? {
            conversation: histogram(METRIC.conversationDuration, 'Length of a conversation'),
            step: histogram(METRIC.stepDuration, 'Length of a step'),
          }
        : undefined;
    this.#observeActive(meter);
    this.#observeReleased();
  }

  /** A root that was handed off is no longer active here: it ends in another process. */
  #observeReleased(): void {
    const { releaseListeners } = processRegistry();
    const metrics = new WeakRef(this);
    const listener = (span: object): void => {
      const current = metrics.deref();
      if (current === undefined) releaseListeners.delete(listener);
      else current.#release(span);
    };
    releaseListeners.add(listener);
  }

  #release(span: object): void {
    const conversation = this.#conversations.get(span);
    if (conversation === undefined) return;
    conversation.activeConversations -= 1;
    this.#conversations.delete(span);
  }

  #observeActive(meter: Meter): void {
    meter
      .createObservableUpDownCounter(METRIC.conversationActive, {
        description: 'Conversations in progress',
        unit: '{conversation}',
      })
      .addCallback((observed) => {
        for (const series of this.#table.workflows()) observed.observe(series.activeConversations, series.attributes);
      });
    meter
      .createObservableUpDownCounter(METRIC.stepActive, { description: 'Steps in progress', unit: '{step}' })
      .addCallback((observed) => {
        for (const { steps } of this.#table.workflows()) {
          for (const series of steps.values()) observed.observe(series.activeSteps, series.attributes);
        }
      });
  }

  onStart(span: Span, parentContext: Context): void {
    const stepName = span.attributes[ATTRIBUTE.stepName];
    if (typeof stepName === 'string') this.#startStep(span, stepName, parentContext);
    else if (isConversation(span)) this.#startConversation(span);
  }

  #startConversation(span: Span): void {
    const workflow = span.attributes[ATTRIBUTE.workflow];
    const series = this.#table.workflow(typeof workflow === 'string' ? workflow : undefined);
    if (series === undefined) return;
    series.activeConversations += 1;
    this.#conversations.set(span, series);
  }

  #startStep(span: Span, stepName: string, parentContext: Context): void {
    const named = span.attributes[ATTRIBUTE.workflow];
    const workflow =
      typeof named === 'string'
        ? this.#table.workflow(named)
        : (this.#workflowOf(trace.getSpan(parentContext)) ?? this.#table.workflow(undefined));
    const series = workflow === undefined ? undefined : this.#table.step(workflow, stepName);
    if (series === undefined) return;
    series.activeSteps += 1;
    this.#steps.set(span, series);
  }

  #workflowOf(parent: object | undefined): WorkflowSeries | undefined {
    return parent === undefined ? undefined : (this.#conversations.get(parent) ?? this.#steps.get(parent)?.workflow);
  }

  onEnd(span: ReadableSpan): void {
    const step = this.#steps.get(span);
    if (step !== undefined) {
      step.activeSteps -= 1;
      this.#recordStep(span, step);
      return;
    }
    const conversation = this.#conversations.get(span);
    if (conversation === undefined) return;
    this.#release(span);
    this.#recordResponse(span, conversation.attributes);
    this.#durations?.conversation.record(secondsOf(span), withOutcome(conversation.attributes, span));
  }

  #recordStep(span: ReadableSpan, series: StepSeries): void {
    const { attributes } = span;
    for (const name in attributes) {
      const value = attributes[name];
      if (typeof value !== 'number') continue;
      if (name === ATTRIBUTE.timeToFirstOutput) {
        this.#timeToFirstOutput.record(value, series.attributes);
      } else if (name.startsWith(STEP_TIMING_PREFIX)) {
        const part = redactFamiliarText(name.slice(STEP_TIMING_PREFIX.length));
        this.#stepTiming.record(value, { ...series.attributes, [METRIC_ATTRIBUTE.part]: part });
      }
    }
    this.#recordResponse(span, series.workflow.attributes);
    this.#durations?.step.record(secondsOf(span), withOutcome(series.attributes, span));
  }

  /** Records one value per conversation, that of the first answer: the user does not wait for later sentences. */
  #recordResponse(span: ReadableSpan, attributes: Attributes): void {
    const seconds = span.attributes[ATTRIBUTE.responseLatency];
    if (typeof seconds !== 'number' || !this.#answered.add(span.spanContext().traceId)) return;
    this.#responseLatency.record(seconds, attributes);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** A bounded set of the trace ids whose response latency was recorded most recently. */
class RecentTraces {
  static readonly #CAPACITY = 10_000;
  #newer = new Set<string>();
  #older = new Set<string>();

  /** Returns false if `traceId` is already in the set. */
  add(traceId: string): boolean {
    if (this.#newer.has(traceId) || this.#older.has(traceId)) return false;
    this.#newer.add(traceId);
    if (this.#newer.size >= RecentTraces.#CAPACITY) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    return true;
  }
}

function isConversation(span: Span): boolean {
  return (
    span.name === CONVERSATION_SPAN_NAME &&
    span.parentSpanContext === undefined &&
    typeof span.attributes[ATTRIBUTE.conversationId] === 'string'
  );
}

function secondsOf(span: ReadableSpan): number {
  const [seconds, nanoseconds] = span.duration;
  return seconds + nanoseconds / 1e9;
}

function withOutcome(attributes: Attributes, span: ReadableSpan): Attributes {
  const outcome = span.attributes[ATTRIBUTE.outcome];
  const errorType = span.attributes[ATTRIBUTE.errorType];
  return {
    ...attributes,
    ...(outcome !== undefined && { [METRIC_ATTRIBUTE.outcome]: outcome }),
    ...(typeof errorType === 'string' && { [METRIC_ATTRIBUTE.errorType]: redactFamiliarText(errorType) }),
  };
}

/** Counters of one step of one workflow, and their attributes, which are created once. */
export interface StepSeries {
  workflow: WorkflowSeries;
  attributes: Attributes;
  activeSteps: number;
}

/** Counters of one workflow, and their attributes, which are created once. */
export interface WorkflowSeries {
  attributes: Attributes;
  activeConversations: number;
  steps: Map<string, StepSeries>;
}

/** The metrics SDK's default cardinality limit per instrument. */
const MAX_SERIES = 2000;

/** Counters per workflow and step; names beyond {@link MAX_SERIES} are not counted. */
export class SeriesTable {
  readonly #workflows = new Map<string | undefined, WorkflowSeries>();
  #size = 0;

  /** Undefined if {@link MAX_SERIES} is reached. */
  workflow(name: string | undefined): WorkflowSeries | undefined {
    const known = this.#workflows.get(name);
    if (known !== undefined) return known;
    if (this.#isFull()) return undefined;
    const attributes: Attributes = name === undefined ? {} : { [METRIC_ATTRIBUTE.workflow]: redactFamiliarText(name) };
    const series: WorkflowSeries = { attributes, activeConversations: 0, steps: new Map() };
    this.#workflows.set(name, series);
    return series;
  }

  /** Undefined if {@link MAX_SERIES} is reached. */
  step(workflow: WorkflowSeries, name: string): StepSeries | undefined {
    const known = workflow.steps.get(name);
    if (known !== undefined) return known;
    if (this.#isFull()) return undefined;
    const attributes: Attributes = { ...workflow.attributes, [METRIC_ATTRIBUTE.step]: name };
    const series: StepSeries = { workflow, attributes, activeSteps: 0 };
    workflow.steps.set(name, series);
    return series;
  }

  workflows(): Iterable<WorkflowSeries> {
    return this.#workflows.values();
  }

  #isFull(): boolean {
    this.#size += 1;
    return this.#size > MAX_SERIES;
  }
}
